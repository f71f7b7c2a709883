/*
 * A long path in user space: IP packets between two network namespaces, a TUN device in each, with
 * delay, a rate, a queue, loss, reordering and duplication, the same ones for a seed.
 *
 *   path NETNS NETNS [NAME=VALUE]...
 *
 * Prints "ready" when the devices "path" are there, and carries packets until SIGTERM; then its
 * counts, a line a direction. "There" is from the first namespace to the second.
 *
 *   delay_us=0      one way
 *   kbit=0          a thousand bits a second, each way; 0: any
 *   queue_kb=0      that wait for their turn, more are dropped; 0: as many as there is room for
 *   loss=0, reorder=0, duplicate=0     of a million packets. One that is reordered is late by
 *   late_us=2000    so much
 *   most=0          longer packets are lost, and nobody is told; 0: none
 *   cut=0           1: all packets are lost; 2: those of TCP, which are answered with a reset;
 *                   3: and whom they were for is told by a reset, too
 *   ways=3          that are cut: 1 there, 2 back, 3 both
 *   seed=1
 *
 * Standard input takes lines of the same, as a test goes on, each answered with "done at SECONDS"
 * of CLOCK_MONOTONIC. So that a test can cut where it wants to:
 *
 *   after=0         this many packets of TCP more pass, and then `cut` becomes
 *   then=1          this, which is told as "cut at SECONDS"
 *   of=3            counted are those of these ways
 *   least=1         with at least so many bytes of data,
 *   syn=0           1: and only from the next SYN on; until it passes a cut is none for it
 *
 * NETNS is a path as /proc/PID/ns/net. Needs CAP_SYS_ADMIN and CAP_NET_ADMIN in them.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "path_packet.h"

#define PACKET_MAX 1600
#define PACKETS 32768 /* on their way in one direction; a power of two */

enum { DELAY_US, KBIT, QUEUE_KB, LOSS, REORDER, DUPLICATE, LATE_US, SEED, MOST, CUT, WAYS,
       AFTER, THEN, OF, LEAST, SYN, VALUES };
enum { LOSES = 1, RESETS, BREAKS };
enum { THERE = 1, BACK = 2 };

static const char *const names[VALUES] = {
    "delay_us", "kbit", "queue_kb", "loss", "reorder", "duplicate", "late_us", "seed", "most",
    "cut", "ways", "after", "then", "of", "least", "syn",
};
static uint64_t value[VALUES] = {
    [LATE_US] = 2000, [SEED] = 1, [WAYS] = 3, [THEN] = LOSES, [OF] = 3, [LEAST] = 1,
};

struct packet {
    int64_t due; /* nanoseconds */
    uint32_t len;
    uint8_t bytes[PACKET_MAX];
};

/* First in, first out: what is in it is delayed by the same time. */
struct line {
    struct packet *packet;
    uint64_t in, out;
};

struct direction {
    unsigned way;
    int from, to;
    struct line line, late;
    int64_t sent; /* when the last packet has left the queue */
    uint64_t carried, lost, dropped, reordered, duplicated;
};

static volatile sig_atomic_t stopped;

static void stop(int number)
{
    (void)number;
    stopped = 1;
}

static void die(const char *what)
{
    fprintf(stderr, "path: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static bool happens(uint64_t of_a_million)
{
    static uint64_t state;

    if (state == 0)
        state = value[SEED] * UINT64_C(0x9e3779b97f4a7c15) + 1;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (state >> 32) % 1000000 < of_a_million;
}

static int open_device(const char *netns)
{
    struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI, .ifr_name = "path" };
    int ns = open(netns, O_RDONLY | O_CLOEXEC), fd;

    if (ns < 0 || setns(ns, CLONE_NEWNET) < 0)
        die(netns);
    close(ns);
    fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || ioctl(fd, TUNSETIFF, &request) < 0)
        die("/dev/net/tun");
    return fd;
}

static struct line new_line(void)
{
    size_t n = PACKETS * sizeof(struct packet);
    void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED)
        die("memory");
    return (struct line){ p, 0, 0 };
}

static void put(struct line *line, const struct packet *p, int64_t due)
{
    struct packet *slot = &line->packet[line->in++ % PACKETS];

    slot->due = due;
    slot->len = p->len;
    memcpy(slot->bytes, p->bytes, p->len);
}

static bool is_full(const struct line *line)
{
    return line->in - line->out == PACKETS;
}

/* ---- cutting ---- */

static void tell(const char *what)
{
    printf("%s at %.6f\n", what, (double)now_ns() / 1e9);
    fflush(stdout);
}

/* Counts a packet that is about to pass. */
static void count(const struct direction *d, const struct tcp_view *v)
{
    if (value[AFTER] == 0 || value[SYN] || !(value[OF] & d->way) || v->data_len < value[LEAST] ||
        --value[AFTER] > 0)
        return;
    value[CUT] = value[THEN];
    tell("cut");
}

static void reset(struct direction *d, const struct tcp_view *v)
{
    uint8_t out[RESET_MAX];
    uint32_t n;

    if (v->flags & TCP_RST)
        return;
    n = tcp_refuse(v, out);
    if (write(d->from, out, n) != (ssize_t)n)
        d->dropped++;
    n = value[CUT] == BREAKS ? tcp_break(v, out) : 0;
    if (n > 0 && write(d->to, out, n) != (ssize_t)n)
        d->dropped++;
}

static bool is_cut(struct direction *d, const struct packet *p)
{
    struct tcp_view v;
    bool is_tcp = tcp_look(p->bytes, p->len, &v), cut;

    if (is_tcp && value[SYN] && (v.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
        value[SYN] = value[CUT] = 0;
    cut = value[CUT] && (value[WAYS] & d->way);
    if (!is_tcp)
        return cut && value[CUT] == LOSES;
    if (!cut)
        count(d, &v);
    else if (value[CUT] != LOSES)
        reset(d, &v);
    return cut;
}

/* ---- carrying ---- */

/* Where a packet that came at `now` goes. */
static void route(struct direction *d, const struct packet *p, int64_t now)
{
    int64_t takes = value[KBIT] ? (int64_t)(p->len * UINT64_C(8000000) / value[KBIT]) : 0;
    int64_t most = value[QUEUE_KB] && value[KBIT]
                       ? (int64_t)(value[QUEUE_KB] * UINT64_C(8192000000) / value[KBIT])
                       : INT64_MAX;
    int64_t due;

    if (d->sent < now)
        d->sent = now;
    if (is_cut(d, p) || (value[MOST] && p->len > value[MOST])) {
        d->lost++;
        return;
    }
    if (d->sent - now > most || is_full(&d->line) || is_full(&d->late)) {
        d->dropped++;
        return;
    }
    d->sent += takes;
    due = d->sent + (int64_t)value[DELAY_US] * 1000;
    if (happens(value[LOSS])) {
        d->lost++;
    } else if (happens(value[REORDER])) {
        d->reordered++;
        put(&d->late, p, due + (int64_t)value[LATE_US] * 1000);
    } else {
        put(&d->line, p, due);
        if (happens(value[DUPLICATE]) && !is_full(&d->line)) {
            d->duplicated++;
            put(&d->line, p, due);
        }
    }
}

static void take_in(struct direction *d)
{
    struct packet p;

    for (int i = 0; i < 256; i++) {
        ssize_t n = read(d->from, p.bytes, sizeof p.bytes);

        if (n <= 0)
            return;
        p.len = (uint32_t)n;
        route(d, &p, now_ns());
    }
}

/* What is due goes out; when the next is. */
static int64_t give_out(struct direction *d, struct line *line, int64_t now)
{
    while (line->out < line->in) {
        struct packet *p = &line->packet[line->out % PACKETS];

        if (p->due > now)
            return p->due;
        /* A device that takes no more loses packets, as any. */
        if (write(d->to, p->bytes, p->len) == (ssize_t)p->len)
            d->carried++;
        else
            d->dropped++;
        line->out++;
    }
    return INT64_MAX;
}

/* ---- values ---- */

static void set_value(const char *text)
{
    const char *sign = strchr(text, '=');

    for (int i = 0; sign != NULL && i < VALUES; i++) {
        char *end;

        if (strlen(names[i]) != (size_t)(sign - text) ||
            memcmp(names[i], text, (size_t)(sign - text)) != 0)
            continue;
        value[i] = strtoull(sign + 1, &end, 10);
        if (end != sign + 1 && *end == '\0')
            return;
    }
    fprintf(stderr, "path: not understood: %s\n", text);
    exit(2);
}

/* A line of values; false at the end of them. Whoever writes writes whole lines. */
static bool obey(void)
{
    char line[512], *word;
    ssize_t n = read(STDIN_FILENO, line, sizeof line - 1);

    if (n <= 0)
        return false;
    line[n] = '\0';
    for (word = strtok(line, " \n"); word != NULL; word = strtok(NULL, " \n"))
        set_value(word);
    tell("done");
    return true;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void carry(struct direction d[2])
{
    struct pollfd fds[3] = { { .fd = d[0].from, .events = POLLIN },
                             { .fd = d[1].from, .events = POLLIN },
                             { .fd = STDIN_FILENO, .events = POLLIN } };

    while (!stopped) {
        int64_t next = INT64_MAX, now;
        struct timespec wait;

        for (int i = 0; i < 2; i++) {
            take_in(&d[i]);
            now = now_ns();
            next = earlier(next, give_out(&d[i], &d[i].line, now));
            next = earlier(next, give_out(&d[i], &d[i].late, now));
        }
        now = now_ns();
        next = next <= now ? 0 : earlier(next - now, INT64_C(1000000000));
        wait = (struct timespec){ next / 1000000000, next % 1000000000 };
        ppoll(fds, 3, &wait, NULL);
        if (fds[2].revents && !obey())
            fds[2].fd = -1;
    }
}

int main(int argc, char **argv)
{
    struct sigaction on_stop = { .sa_handler = stop };
    struct direction d[2] = { { .way = THERE, .line = new_line(), .late = new_line() },
                              { .way = BACK, .line = new_line(), .late = new_line() } };

    if (argc < 3) {
        fprintf(stderr, "path: usage: path NETNS NETNS [NAME=VALUE]...\n");
        return 2;
    }
    for (int i = 3; i < argc; i++)
        set_value(argv[i]);
    sigaction(SIGTERM, &on_stop, NULL);
    sigaction(SIGINT, &on_stop, NULL);
    d[0].from = d[1].to = open_device(argv[1]);
    d[1].from = d[0].to = open_device(argv[2]);
    puts("ready");
    fflush(stdout);
    carry(d);
    for (int i = 0; i < 2; i++)
        printf("%s: %llu carried, %llu lost, %llu dropped, %llu reordered, %llu duplicated\n",
               i == 0 ? "there" : "back", (unsigned long long)d[i].carried,
               (unsigned long long)d[i].lost, (unsigned long long)d[i].dropped,
               (unsigned long long)d[i].reordered, (unsigned long long)d[i].duplicated);
    return 0;
}
