/*
 * adit-gateway: the cloud end of the tunnels. This file: the command line and the memory.
 */
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "buffer.h"
#include "codec/ascii.h"
#include "err.h"
#include "gateway.h"
#include "sys/entropy.h"
#include "sys/fmt.h"
#include "sys/log.h"

#define TOKEN_BYTES 32
/* Listeners, standard streams, epoll, files that are read. */
#define DESCRIPTORS_MORE 16
#define ALIGNMENT 64
/* For rings: a quarter of what a 32-bit program has, or as good as everything. */
#define ADDRESSES_MAX (sizeof(void *) > 4 ? (size_t)(UINT64_C(1) << 45) : (size_t)1 << 30)
#define NO_MEMORY "not enough memory: lower --max-requests, --stream-window or --max-tunnels"

static struct gateway gateway;

/* ---- adit-gateway token NAME: the token, and the line for the tokens file ---- */

static int print_token(const char *label)
{
    uint8_t random[TOKEN_BYTES], hash[TUNNEL_NAME_HASH_LEN];
    uint8_t token[2 * TOKEN_BYTES], out[1024];
    struct writer w;

    if (!tunnel_names_label_valid(str_of(label)))
        return options_error("token: write a name of letters, digits and hyphens, 63 at most");
    if (entropy_get(random, sizeof random) <= 0)
        return options_error("token: the kernel has no random bytes yet; try again");
    ascii_to_hex(random, sizeof random, token);
    tunnel_names_hash((struct str){ token, sizeof token }, hash);
    writer_init(&w, out, sizeof out);
    writer_text(&w, "token of the agent, not shown again: ");
    writer_bytes(&w, token, sizeof token);
    writer_u8(&w, '\n');
    for (const char *p = label; *p; p++)
        writer_u8(&w, ascii_lower((uint8_t)*p));
    writer_u8(&w, ' ');
    ascii_to_hex(hash, sizeof hash, token);
    writer_bytes(&w, token, sizeof token);
    writer_u8(&w, '\n');
    return fmt_write(STDOUT_FILENO, out, writer_stored(&w)) ? 0 : ERR_SYS;
}

/* ---- memory: all of it, once ---- */

struct arena {
    uint8_t *base; /* NULL: only counts */
    size_t at;
};

static void *take(struct arena *a, size_t count, size_t size)
{
    void *p = a->base ? a->base + a->at : NULL;

    a->at += (count * size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return p;
}

static void lay_out_conns(struct gateway *g, struct arena *a)
{
    struct tls_server *tls;

    g->tunnel_count = (size_t)g->config.max_tunnels + TUNNELS_UNNAMED_MAX;
    g->conn_count = g->tunnel_count + g->config.max_requests;
    g->conn = take(a, g->conn_count, sizeof *g->conn);
    tls = take(a, g->conn_count, sizeof *tls);
    for (size_t i = 0; a->base && i < g->conn_count; i++)
        g->conn[i].tls = &tls[i];
}

/* Twice as many as can be connected at once, so that those who left are remembered for a while. */
static void lay_out_peers(struct gateway *g, struct arena *a)
{
    struct peers *p = &g->peers;

    p->count = 2 * g->conn_count;
    p->bucket_count = 1;
    while (p->bucket_count < p->count)
        p->bucket_count *= 2;
    p->entry = take(a, p->count, sizeof *p->entry);
    p->bucket = take(a, p->bucket_count, sizeof *p->bucket);
}

static void lay_out(struct gateway *g, struct arena *a)
{
    size_t streams = g->config.max_streams;
    struct stream *stream;
    struct conn **visitor;

    lay_out_conns(g, a);
    lay_out_peers(g, a);
    g->tunnel = take(a, g->tunnel_count, sizeof *g->tunnel);
    stream = take(a, g->tunnel_count * streams, sizeof *stream);
    visitor = take(a, g->tunnel_count * streams, sizeof *visitor);
    for (size_t i = 0; a->base && i < g->tunnel_count; i++) {
        g->tunnel[i].stream = stream + i * streams;
        g->tunnel[i].visitor = visitor + i * streams;
    }
    for (size_t i = 0; i < 2; i++)
        g->tunnel_names_table[i].entry = take(a, g->config.max_names, sizeof(struct tunnel_name));
    g->file_cap = (size_t)g->config.max_names * TUNNEL_NAME_LINE_MAX;
    g->file = take(a, g->file_cap, 1);
}

/* Pages that are never touched cost nothing; those of connections in use are used again first. */
static uint8_t *map(size_t n, int flags)
{
    void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

    if (p == MAP_FAILED)
        return NULL;
    /* What visitors and agents send is not for core dumps. */
    madvise(p, n, MADV_DONTDUMP);
    return p;
}

/* A ring for each connection, with address space for a window of `most` bytes. */
static bool map_rings(struct gateway *g, size_t most, int flags)
{
    size_t each = BUFFER_PAGES(most + VISIT_RING_EXTRA);
    uint8_t *p = each <= SIZE_MAX / g->conn_count ? map(g->conn_count * each, flags) : NULL;

    for (size_t i = 0; p && i < g->conn_count; i++) {
        struct visitor *v = &g->conn[i].visitor;

        v->visit.ring = (struct ring){ p + i * each, g->config.stream_window + VISIT_RING_EXTRA,
                                       0, 0 };
        window_start(&v->window, g->config.stream_window, 0);
    }
    g->window_max = most;
    return p != NULL;
}

/* Where addresses are short, or must be backed by memory, windows do not grow. */
static bool allocate_rings(struct gateway *g)
{
    size_t first = g->config.stream_window, all = ADDRESSES_MAX / g->conn_count;
    size_t most = all < WINDOW_MAX ? all : WINDOW_MAX;

    g->windows.size = g->config.buffer_memory;
    if (g->windows.size == 0 || first >= WINDOW_MAX)
        return map_rings(g, first, 0);
    if (most > first && map_rings(g, most, MAP_NORESERVE))
        return true;
    log_line(LOG_WARN, "--buffer-memory is of no use: there is no address space for it");
    return map_rings(g, first, 0);
}

static int allocate(struct gateway *g)
{
    struct arena a = { NULL, 0 };

    lay_out(g, &a);
    a = (struct arena){ map(a.at, 0), 0 };
    if (!a.base)
        return options_error(NO_MEMORY);
    lay_out(g, &a);
    return allocate_rings(g) ? 0 : options_error(NO_MEMORY);
}

static int allow_descriptors(const struct gateway *g)
{
    struct rlimit limit;
    rlim_t need = g->conn_count + DESCRIPTORS_MORE;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= need)
        return 0;
    limit.rlim_cur = need;
    if (limit.rlim_max < need)
        limit.rlim_max = need;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        return options_error("too few open files allowed (ulimit -n) for --max-requests and "
                             "--max-tunnels");
    return 0;
}

/* Beyond what an agent does. */
static const uint16_t calls[] = {
    SYS_accept4, SYS_epoll_ctl, SYS_epoll_pwait, SYS_madvise,
#ifdef SYS_accept
    SYS_accept,
#endif
#ifdef SYS_epoll_wait
    SYS_epoll_wait,
#endif
};

static int enter(struct gateway *g)
{
    struct sandbox *s = &g->config.sandbox;

    s->descriptors = (uint32_t)g->conn_count + DESCRIPTORS_MORE;
    s->more = calls;
    s->more_count = sizeof calls / sizeof calls[0];
    return sandbox_enter(s, g, sizeof *g);
}

int main(int argc, char **argv)
{
    struct gateway *g = &gateway;
    char *rest[2];
    int count;
    int result = config_read(&g->config, argc, argv, rest, 2, &count);

    if (result == CONFIG_EXIT)
        return 0;
    if (result == 0 && count > 0) {
        if (count != 2 || strcmp(rest[0], "token") != 0)
            result = options_error("write adit-gateway token NAME, or options only");
        else
            return print_token(rest[1]) < 0 ? 2 : 0;
    }
    if (result < 0 || config_check(&g->config) < 0)
        return 2;
    log_open((enum log_level)g->config.log_level);
    if (allocate(g) < 0 || allow_descriptors(g) < 0 || gateway_start(g) < 0)
        return 1;
    notify_start(&g->notify, g->now);
    if (enter(g) < 0)
        return 1;
    gateway_run(g);
    return 0;
}
