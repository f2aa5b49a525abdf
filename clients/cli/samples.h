/* SPDX-License-Identifier: MIT */
/* samples.h - what /metrics says, line by line: name, labels, value (Prometheus's text format). */
#ifndef BANTER_CLI_SAMPLES_H
#define BANTER_CLI_SAMPLES_H

#include <jansson.h>

/* {"name":…,"labels":{…},"value":…} of a line; NULL: it is a comment, empty, or no sample. */
json_t *sample_read(const char *line);

#endif
