/* SPDX-License-Identifier: MIT */
/* pages.c - see pages.h.
 *
 * The page is the one place where a browser runs something of ours, so its policy lets it run
 * nothing else: no inline script or style, no other origin (but to talk to the other nodes), no
 * frame around it, and no string becomes markup (Trusted Types). Whoever loosens a line of the
 * policy answers for all users. */
#include "api/pages.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "http/request.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum {
    PAGES_MAX = 256,
    PAGES_TOTAL_MAX_BYTES = 16 << 20,
    PATH_ROOM = 4096,
    NAME_MAX_LENGTH = 100,
    TAG_BYTES = 12, /* of the hash; what differs must differ here */
    TAG_ROOM = 2 * TAG_BYTES + sizeof "\"-gz\"",
    SOURCES_TAG_BYTES = 8,
    WHOLE_TAG_ROOM = TAG_ROOM + 1 + 2 * SOURCES_TAG_BYTES,
    POLICY_MAX_BYTES = 16 << 10,
};

static const char index_path[] = "/index.html";
static const char assets[] = "/assets/";

static const char html[] = "text/html; charset=utf-8";

/* Further sources follow. */
static const char policy[] =
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "worker-src 'self'; manifest-src 'self'; object-src 'none'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types banter; connect-src 'self'";
static const char permissions[] = "camera=(), display-capture=(), geolocation=(), microphone=(), "
                                  "midi=(), payment=(), serial=(), usb=()";

static const struct {
    const char *ending;
    const char *type;
} types[] = {
    {".css", "text/css; charset=utf-8"},
    {".html", html},
    {".js", "text/javascript; charset=utf-8"},
    {".png", "image/png"},
    {".svg", "image/svg+xml"},
    {".webmanifest", "application/manifest+json"},
};

struct page {
    char *path;          /* "/assets/index-abc.js" */
    const char *type;    /* static */
    struct slice plain;  /* owned */
    struct slice gzip;   /* owned; empty: there is none */
    char tag[TAG_ROOM];  /* quoted, of the plain bytes */
    char gtag[TAG_ROOM]; /* of the compressed ones */
};

struct pages {
    struct page pages[PAGES_MAX];
    size_t count;
    size_t total; /* bytes */
};

/* ---------------------------------------------------------------- loading */

static bool ends_with(const char *name, const char *ending)
{
    size_t length = strlen(name), wanted = strlen(ending);

    return length > wanted && strcmp(name + length - wanted, ending) == 0;
}

static const char *type_of(const char *name)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (ends_with(name, types[i].ending))
            return types[i].type;
    }
    return NULL;
}

/* Nothing that a URL would have to escape, and nothing hidden. */
static bool name_is_plain(const char *name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "._-";

    return name[0] != '.' && strlen(name) <= NAME_MAX_LENGTH && name[strspn(name, allowed)] == '\0';
}

static void make_tag(char out[TAG_ROOM], struct slice bytes, const char *suffix)
{
    unsigned char hash[SHA256_DIGEST_LENGTH];
    size_t length = 0;

    SHA256((const unsigned char *)bytes.data, bytes.length, hash);
    out[length++] = '"';
    for (size_t i = 0; i < TAG_BYTES; i++)
        length += (size_t)snprintf(out + length, TAG_ROOM - length, "%02x", hash[i]);
    snprintf(out + length, TAG_ROOM - length, "%s\"", suffix);
}

/* The whole file into *out, within what all pages together may have. */
static bool read_whole(struct pages *p, const char *path, struct slice *out)
{
    struct buf bytes;

    buf_init(&bytes, PAGES_TOTAL_MAX_BYTES);
    if (!file_read(path, &bytes) || p->total + bytes.length > PAGES_TOTAL_MAX_BYTES) {
        log_error("pages", "cannot take %s: it cannot be read, or the pages are too large", path);
        buf_finish(&bytes);
        return false;
    }
    p->total += bytes.length;
    out->length = bytes.length;
    out->data = bytes.length > 0 ? buf_detach(&bytes) : NULL;
    return true;
}

static bool is_regular(const char *path)
{
    struct stat about;

    return stat(path, &about) == 0 && S_ISREG(about.st_mode);
}

static bool add_page(struct pages *p, const char *root, const char *folder, const char *name)
{
    struct page *page = &p->pages[p->count];
    char path[PATH_ROOM], compressed[PATH_ROOM];
    struct buf url;

    if (p->count == PAGES_MAX ||
        snprintf(path, sizeof path, "%s%s%s", root, folder, name) >= (int)sizeof path ||
        snprintf(compressed, sizeof compressed, "%s.gz", path) >= (int)sizeof compressed) {
        log_error("pages", "%s has too many files, or too long a name", root);
        return false;
    }
    if (!is_regular(path))
        return true;
    buf_init(&url, PATH_ROOM);
    buf_str(&url, folder);
    buf_str(&url, name);
    page->path = buf_detach(&url);
    page->type = type_of(name);
    p->count++; /* pages_free() has it from here on */
    if (!read_whole(p, path, &page->plain) ||
        (is_regular(compressed) && !read_whole(p, compressed, &page->gzip)))
        return false;
    make_tag(page->tag, page->plain, "");
    make_tag(page->gtag, page->plain, "-gz");
    return true;
}

static bool add_folder(struct pages *p, const char *root, const char *folder, bool must_be_there)
{
    char path[PATH_ROOM];
    struct dirent *entry;
    bool ok = true;
    DIR *dir;

    if (snprintf(path, sizeof path, "%s%s", root, folder) >= (int)sizeof path)
        return false;
    dir = opendir(path);
    if (!dir) {
        if (must_be_there)
            log_error("pages", "cannot open %s: %s", path, strerror(errno));
        return !must_be_there;
    }
    while (ok && (entry = readdir(dir)) != NULL) {
        if (name_is_plain(entry->d_name) && type_of(entry->d_name))
            ok = add_page(p, root, folder, entry->d_name);
    }
    closedir(dir);
    return ok;
}

struct pages *pages_load(const char *root)
{
    struct pages *p = must_calloc(1, sizeof *p);

    if (!add_folder(p, root, "/", true) || !add_folder(p, root, assets, false))
        goto fail;
    if (!pages_have(p, slice_str(index_path))) {
        log_error("pages", "%s has no index.html", root);
        goto fail;
    }
    log_info("pages", "%zu files of the web client, %zu bytes, from %s", p->count, p->total, root);
    return p;

fail:
    pages_free(p);
    return NULL;
}

void pages_free(struct pages *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->count; i++) {
        free(p->pages[i].path);
        free((void *)p->pages[i].plain.data);
        free((void *)p->pages[i].gzip.data);
    }
    free(p);
}

/* ---------------------------------------------------------------- answering */

static const struct page *find(const struct pages *p, struct slice path)
{
    if (slice_equal(path, slice_str("/")))
        path = slice_str(index_path);
    for (size_t i = 0; i < p->count; i++) {
        if (slice_equal(slice_str(p->pages[i].path), path))
            return &p->pages[i];
    }
    return NULL;
}

bool pages_have(const struct pages *p, struct slice path)
{
    return find(p, path) != NULL;
}

/* The next element of a comma-separated field, without blanks around it; *rest moves on. */
static struct slice next_element(const char **rest)
{
    const char *begin = *rest + strspn(*rest, " \t,");
    size_t length = strcspn(begin, ",");

    *rest = begin + length;
    while (length > 0 && strchr(" \t", begin[length - 1]))
        length--;
    return slice_of(begin, length);
}

/* RFC 9110 section 12.5.3, of which only "q=0" matters here: "not that". */
bool pages_take_gzip(const char *accept_encoding)
{
    while (accept_encoding && *accept_encoding) {
        struct slice element = next_element(&accept_encoding);
        size_t name = 0, weight; /* where each ends, or begins */

        while (name < element.length && !strchr("; \t", element.data[name]))
            name++;
        if (name != 4 || strncasecmp(element.data, "gzip", 4) != 0)
            continue;
        weight = name;
        while (weight < element.length && strchr("; \tqQ=", element.data[weight]))
            weight++;
        return weight == name || strspn(element.data + weight, "0.") < element.length - weight;
    }
    return false;
}

bool pages_match_tag(const char *if_none_match, struct slice tag)
{
    while (if_none_match && *if_none_match) {
        struct slice element = next_element(&if_none_match);

        if (element.length > 2 && strncmp(element.data, "W/", 2) == 0)
            element = slice_of(element.data + 2, element.length - 2);
        if (slice_equal(element, tag) || slice_equal(element, slice_str("*")))
            return true;
    }
    return false;
}

/* A browser that has the page keeps the policy that came with it (Chromium takes no new one from a
 * 304), so another policy is another page. */
static void make_whole_tag(char out[WHOLE_TAG_ROOM], const char *tag, const char *sources)
{
    unsigned char hash[SHA256_DIGEST_LENGTH];
    size_t length = strlen(tag) - 1; /* without the quote at the end */

    memcpy(out, tag, length + 2);
    if (sources[0] == '\0')
        return;
    SHA256((const unsigned char *)sources, strlen(sources), hash);
    out[length++] = '-';
    for (size_t i = 0; i < SOURCES_TAG_BYTES; i++)
        length += (size_t)snprintf(out + length, WHOLE_TAG_ROOM - length, "%02x", hash[i]);
    snprintf(out + length, WHOLE_TAG_ROOM - length, "\"");
}

static void put_policy(struct http_request *request, const char *sources)
{
    struct buf whole;

    buf_init(&whole, POLICY_MAX_BYTES);
    buf_str(&whole, policy);
    buf_str(&whole, sources);
    if (whole.failed)
        abort(); /* out of memory */
    http_reply_header(request, "Content-Security-Policy", whole.data);
    buf_finish(&whole);
}

static void put_headers(struct http_request *request, const struct page *page, const char *tag,
                        const char *sources)
{
    /* What is in assets has its content's hash in its name; everything else is asked for anew. */
    bool hashed = strncmp(page->path, assets, sizeof assets - 1) == 0;

    http_reply_header(request, "ETag", tag);
    http_reply_header(request, "Cache-Control",
                      hashed ? "public, max-age=31536000, immutable" : "no-cache");
    put_policy(request, sources);
    http_reply_header(request, "Cross-Origin-Opener-Policy", "same-origin");
    http_reply_header(request, "Permissions-Policy", permissions);
    if (page->gzip.length > 0)
        http_reply_header(request, "Vary", "Accept-Encoding");
}

void pages_answer(const struct pages *p, struct slice path, const char *sources,
                  struct http_request *request)
{
    const struct page *page = find(p, path);
    char tag[WHOLE_TAG_ROOM];
    struct buf body;
    bool gzip;

    assert(page);
    if (page->type != html)
        sources = ""; /* nothing else connects: the service worker asks its own origin alone */
    gzip =
        page->gzip.length > 0 && pages_take_gzip(http_request_header(request, "Accept-Encoding"));
    make_whole_tag(tag, gzip ? page->gtag : page->tag, sources);
    put_headers(request, page, tag, sources);
    if (pages_match_tag(http_request_header(request, "If-None-Match"), slice_str(tag))) {
        http_reply(request, 304, NULL, NULL);
        return;
    }
    if (gzip)
        http_reply_header(request, "Content-Encoding", "gzip");
    buf_init(&body, PAGES_TOTAL_MAX_BYTES);
    buf_slice_put(&body, gzip ? page->gzip : page->plain);
    http_reply(request, 200, page->type, &body);
}
