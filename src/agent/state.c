#include "agent.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "codec/ascii.h"
#include "err.h"
#include "sys/file.h"
#include "sys/fmt.h"
#include "sys/log.h"

#define NUMBER_MAX 20
/* The time, and a line for each gateway. */
#define STATE_MAX (NUMBER_MAX + 1 + HOMES_MAX * DNS_CACHE_LINE_MAX)

/* ---- reading ---- */

/* Each gateway takes its own. */
static int read_line(struct agent *a, struct str line)
{
    int err = 0;

    for (size_t i = 0; i < a->target.uri_count && err == 0; i++)
        err = dns_cache_read(&a->names, a->target.uri[i].host, line);
    return err;
}

static void read_addresses(struct agent *a, struct str text)
{
    for (unsigned number = 2; text.n > 0; number++) {
        struct str line = str_take_until(&text, '\n');

        if (line.n > 0 && read_line(a, line) < 0)
            log_form(LOG_WARN, "--state %s: line %u is damaged, and is ignored", a->config.state,
                     number);
    }
}

int64_t state_read(struct agent *a)
{
    uint8_t content[STATE_MAX];
    int n = file_read(a->config.state, content, sizeof content);
    struct str text = { content, n >= 0 ? (size_t)n : sizeof content };
    struct str line;
    uint64_t time;

    if (n == ERR_FILE)
        return 0;
    line = str_take_until(&text, '\n');
    read_addresses(a, text);
    return ascii_u64(line, INT64_MAX, &time) ? (int64_t)time : -1;
}

/* ---- writing ---- */

static bool write_new(const char *path, const uint8_t *text, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool good;

    if (fd < 0)
        return false;
    good = fmt_write(fd, text, n) && fsync(fd) == 0;
    return close(fd) == 0 && good;
}

/* A power cut leaves the old file or the new one, never half of one. */
void state_write(struct agent *a, int64_t time)
{
    uint8_t text[STATE_MAX];
    const char *path = a->config.state;
    char new[CONFIG_STATE_MAX + 5];
    size_t n = strlen(path);
    struct writer w;

    memcpy(new, path, n);
    memcpy(new + n, ".new", 5);
    writer_init(&w, text, sizeof text);
    writer_u64(&w, (uint64_t)time);
    writer_u8(&w, '\n');
    for (size_t i = 0; i < a->target.uri_count; i++)
        dns_cache_write(&a->names, a->target.uri[i].host, &w);
    if (!write_new(new, text, writer_stored(&w)) || rename(new, path) < 0)
        log_form(LOG_WARN, "--state %s cannot be written", path);
}
