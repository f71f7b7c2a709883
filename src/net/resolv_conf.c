#include "net/resolv_conf.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "codec/ascii.h"
#include "net/sock.h"

#define TIMEOUT_DEFAULT_MS 2000
#define TIMEOUT_MAX_S 30
#define ATTEMPTS_DEFAULT 3
#define ATTEMPTS_MAX 5
/* Longer lines are cut. */
#define LINE_MAX_LEN 1024

/* ---- lines and words ---- */

struct lines {
    int fd;
    bool ended;
    size_t at, len; /* of what was read, in piece */
    uint8_t piece[256];
    uint8_t line[LINE_MAX_LEN];
};

static bool lines_open(struct lines *l, const char *path)
{
    l->fd = open(path, O_RDONLY | O_CLOEXEC);
    l->at = l->len = 0;
    l->ended = false;
    return l->fd >= 0;
}

/* The next byte; the end of the file ends its last line too. */
static uint8_t next_byte(struct lines *l)
{
    ssize_t got;

    if (l->at < l->len)
        return l->piece[l->at++];
    got = read(l->fd, l->piece, sizeof l->piece);
    if (got <= 0) {
        l->ended = true;
        return '\n';
    }
    l->len = (size_t)got;
    l->at = 1;
    return l->piece[0];
}

/* The next line without its comment. */
static bool lines_next(struct lines *l, struct str *line)
{
    bool comment = false;
    size_t n = 0;
    uint8_t c;

    if (l->ended)
        return false;
    while ((c = next_byte(l)) != '\n') {
        comment = comment || c == '#' || c == ';';
        if (!comment && n < sizeof l->line)
            l->line[n++] = c;
    }
    *line = (struct str){ l->line, n };
    return true;
}

/* ---- hosts ---- */

static bool line_names(struct str line, struct str name)
{
    struct str word;

    do
        word = str_take_word(&line);
    while (word.n > 0 && !str_ieq(word, name));
    return word.n > 0;
}

static unsigned localhost(struct ip *out, unsigned max)
{
    static const struct ip address[2] = { { { 127, 0, 0, 1 }, 4 }, { { [15] = 1 }, 16 } };
    unsigned count = max < 2 ? max : 2;

    memcpy(out, address, count * sizeof *out);
    return count;
}

unsigned hosts_lookup(const char *path, struct str name, struct ip *out, unsigned max)
{
    struct lines l;
    struct str line;
    unsigned count = 0;

    if (str_ieq(name, STR("localhost")))
        return localhost(out, max);
    if (lines_open(&l, path)) {
        while (count < max && lines_next(&l, &line)) {
            struct str address = str_take_word(&line);

            if (line_names(line, name) && ip_parse(address, &out[count]))
                count++;
        }
        close(l.fd);
    }
    return count;
}

/* ---- resolv.conf ---- */

/* The number behind "timeout:" or "attempts:", between 1 and max; 0 when it is none of that. */
static uint32_t option_value(struct str word, struct str key, uint32_t max)
{
    uint64_t value;

    if (!str_take(&word, key) || !ascii_u64(word, UINT32_MAX, &value))
        return 0;
    if (value == 0)
        value = 1;
    return value < max ? (uint32_t)value : max;
}

static void read_options(struct resolv_conf *conf, struct str line)
{
    struct str word;

    while ((word = str_take_word(&line)).n > 0) {
        uint32_t timeout = option_value(word, STR("timeout:"), TIMEOUT_MAX_S);
        uint32_t attempts = option_value(word, STR("attempts:"), ATTEMPTS_MAX);

        if (timeout)
            conf->timeout_ms = timeout * 1000;
        if (attempts)
            conf->attempts = attempts;
    }
}

/* An address, a link-local one with the interface that it is on: fe80::1%eth0. */
static bool read_address(struct str word, struct ip *ip)
{
    struct str zone = word;
    struct str address = str_take_until(&zone, '%');

    return ip_parse(address, ip) && (address.n == word.n || sock_set_zone(ip, zone));
}

static void read_line(struct resolv_conf *conf, struct str line)
{
    struct str key = str_take_word(&line);

    if (str_eq(key, STR("options")))
        read_options(conf, line);
    else if (str_eq(key, STR("nameserver")) && conf->server_count < RESOLV_CONF_SERVERS_MAX &&
             read_address(str_take_word(&line), &conf->server[conf->server_count]))
        conf->server_count++;
}

void resolv_conf_read(const char *path, struct resolv_conf *conf)
{
    struct lines l;
    struct str line;

    *conf = (struct resolv_conf){ .timeout_ms = TIMEOUT_DEFAULT_MS, .attempts = ATTEMPTS_DEFAULT };
    if (lines_open(&l, path)) {
        while (lines_next(&l, &line))
            read_line(conf, line);
        close(l.fd);
    }
    if (conf->server_count == 0)
        conf->server_count = localhost(conf->server, 1);
}
