// SPDX-License-Identifier: MIT
// The two contract documents are valid in themselves: by the reference parser of AsyncAPI, and by
// Redocly's linter for OpenAPI. What the running system says is held against them by the
// integration tests. Needs no server.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';

import { Parser } from '@asyncapi/parser';
import { createConfig, lint } from '@redocly/openapi-core';

const schemaDirectory = new URL('../../schema/', import.meta.url);

test('schema/asyncapi.yaml is valid AsyncAPI 3.0', async () => {
  const source = await readFile(new URL('asyncapi.yaml', schemaDirectory), 'utf8');
  const { document, diagnostics } = await new Parser().parse(source);
  const errors = diagnostics.filter((d) => d.severity === 0);
  assert.deepEqual(errors.map((d) => `${d.path.join('.')}: ${d.message}`), []);
  assert.equal(document.version(), '3.0.0');
  // Every channel is spoken on: by an operation, or by the reply of one.
  const spokenOn = document.operations().all().flatMap((operation) => [
    ...operation.channels().all(), operation.reply()?.channel(),
  ]).filter((channel) => channel).map((channel) => channel.address());
  const channels = document.channels().all().map((channel) => channel.address());
  assert.deepEqual([...new Set(spokenOn)].sort(), channels.sort());
});

test('schema/openapi.yaml is valid OpenAPI', async () => {
  const config = await createConfig({
    extends: ['minimal'],
    rules: {
      struct: 'error',
      'no-unresolved-refs': 'error',
      'no-invalid-media-type-examples': 'error',
      'operation-operationId-unique': 'error',
      'path-parameters-defined': 'error',
      'security-defined': 'error',
    },
  });
  const problems = await lint({
    ref: fileURLToPath(new URL('openapi.yaml', schemaDirectory)),
    config,
  });
  const errors = problems.filter((p) => p.severity === 'error');
  assert.deepEqual(errors.map((p) => `${p.location?.[0]?.pointer}: ${p.message}`), []);
});
