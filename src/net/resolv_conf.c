#include "net/resolv_conf.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "codec/ascii.h"
#include "net/sock.h"

#define TIMEOUT_DEFAULT_S 2
#define TIMEOUT_MAX_S 30
#define ATTEMPTS_DEFAULT 3
#define ATTEMPTS_MAX 5
#define NDOTS_DEFAULT 1
#define NDOTS_MAX 15
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

/* The number behind "timeout:" and the like, from `least` to `most`; nothing when it is another. */
static void take_option(struct str word, struct str key, unsigned least, unsigned most,
                        unsigned *out)
{
    uint64_t value;

    if (str_take(&word, key) && ascii_u64(word, UINT32_MAX, &value))
        *out = value < least ? least : value > most ? most : (unsigned)value;
}

static void read_options(struct resolv_conf *conf, struct str line)
{
    struct str word;

    while ((word = str_take_word(&line)).n > 0) {
        take_option(word, STR("timeout:"), 1, TIMEOUT_MAX_S, &conf->timeout_s);
        take_option(word, STR("attempts:"), 1, ATTEMPTS_MAX, &conf->attempts);
        take_option(word, STR("ndots:"), 0, NDOTS_MAX, &conf->ndots);
        conf->rotate = conf->rotate || str_eq(word, STR("rotate"));
    }
}

/* The last line counts. */
static void read_suffixes(struct resolv_conf *conf, struct str line)
{
    struct str words = { conf->text, line.n <= sizeof conf->text ? line.n : 0 };
    struct str word;

    memcpy(conf->text, line.p, words.n);
    conf->suffix_count = 0;
    while (conf->suffix_count < RESOLV_CONF_SUFFIXES_MAX && (word = str_take_word(&words)).n > 0)
        conf->suffix[conf->suffix_count++] = word;
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
    else if (str_eq(key, STR("search")) || str_eq(key, STR("domain")))
        read_suffixes(conf, line);
    else if (str_eq(key, STR("nameserver")) && conf->server_count < RESOLV_CONF_SERVERS_MAX &&
             read_address(str_take_word(&line), &conf->server[conf->server_count]))
        conf->server_count++;
}

void resolv_conf_read(const char *path, struct resolv_conf *conf)
{
    struct lines l;
    struct str line;

    memset(conf, 0, sizeof *conf);
    conf->timeout_s = TIMEOUT_DEFAULT_S;
    conf->attempts = ATTEMPTS_DEFAULT;
    conf->ndots = NDOTS_DEFAULT;
    if (lines_open(&l, path)) {
        while (lines_next(&l, &line))
            read_line(conf, line);
        close(l.fd);
    }
    if (conf->server_count == 0)
        conf->server_count = localhost(conf->server, 1);
}

/* ---- names ---- */

static bool takes_suffixes(struct str name, unsigned ndots)
{
    unsigned dots = 0;

    for (size_t i = 0; i < name.n; i++)
        dots += name.p[i] == '.';
    return dots < ndots && name.p[name.n - 1] != '.';
}

bool resolv_conf_name(const struct resolv_conf *conf, struct str name, uint8_t *next,
                      struct dns_name *out)
{
    unsigned count = takes_suffixes(name, conf->ndots) ? conf->suffix_count : 0;

    while (*next < count) {
        if (dns_name_parse(name, conf->suffix[(*next)++], out) == 0)
            return true;
    }
    if (*next > RESOLV_CONF_SUFFIXES_MAX)
        return false;
    *next = RESOLV_CONF_SUFFIXES_MAX + 1;
    return dns_name_parse(name, (struct str){ 0 }, out) == 0;
}
