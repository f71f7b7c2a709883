/* A visitor's ring as his window grows and shrinks: room for what was promised, memory behind that
 * given back, and no other ring's. */
#include "../../src/gateway/buffer.h"

#include <sys/mman.h>

#include "../../src/gateway/conn.h"
#include "../../src/gateway/gateway.h"
#include "tap.h"

#define FIRST 65536
#define MOST (1u << 20)
#define EACH BUFFER_PAGES(MOST + VISIT_RING_EXTRA)

static struct gateway gateway;
static struct tunnel tunnel;
static struct stream stream; /* of it, whose body comes */
static struct conn conn;
static uint8_t *memory; /* two rings: the visitor's, and another one */

static void set_up(void)
{
    gateway.config.stream_window = FIRST;
    gateway.windows.size = 16 * MOST;
    gateway.window_max = MOST;
    conn.gateway = &gateway;
    conn.tunnel = &tunnel;
    stream.rx = STREAM_BODY;
    tunnel.session.stream = &stream;
    tunnel.session.rtt_ms = 10;
    memory = mmap(NULL, 2 * EACH, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    conn.visitor.visit.ring = (struct ring){ memory, FIRST + VISIT_RING_EXTRA, 0, 0 };
    window_start(&conn.visitor.window, FIRST, 0);
    buffer_open(&conn);
}

static size_t room(void)
{
    return conn.visitor.visit.ring.cap;
}

/* He takes a window in each round trip, until it grows no more; bytes of it lie in the ring. */
static void grow(void)
{
    for (int i = 0; i < 10; i++) {
        gateway.now += 10;
        buffer_passed(&conn, (size_t)conn.visitor.window.promised);
    }
}

static void test_grows(void)
{
    size_t credit;

    is_int(room(), FIRST + VISIT_RING_EXTRA, "room for the first window");
    gateway.now += 10;
    credit = buffer_passed(&conn, FIRST);
    is_int(credit, 2 * FIRST, "who takes it in a round trip is granted two");
    is_int(room(), 2 * FIRST + VISIT_RING_EXTRA, "which have room");
    grow();
    is_int(room(), MOST + VISIT_RING_EXTRA, "in the end as much as there is memory for");
}

static void test_shrinks(void)
{
    size_t kept = BUFFER_PAGES(FIRST + VISIT_RING_EXTRA);

    memset(memory, 'x', 2 * EACH);
    stream.rx = STREAM_ENDED;
    is_int(buffer_passed(&conn, 100), 0, "after the end nothing is granted");
    is_int(room(), FIRST + VISIT_RING_EXTRA, "and room is there for the next one's first window");
    is_int(gateway.windows.used, 0, "others may have the rest");
    ok(memory[0] == 'x' && memory[kept - 1] == 'x', "whose memory stays");
    ok(memory[kept] == 0 && memory[MOST] == 0, "what lies behind is given back");
    ok(memory[EACH] == 'x' && memory[2 * EACH - 1] == 'x', "but nothing of another's");
}

static void test_keeps_what_waits(void)
{
    static uint8_t waiting[3 * FIRST];
    struct ring *r = &conn.visitor.visit.ring;

    stream.rx = STREAM_BODY;
    buffer_open(&conn);
    grow();
    ring_push(r, waiting, sizeof waiting);
    buffer_settle(&conn);
    is_int(room(), sizeof waiting + VISIT_RING_EXTRA, "what he has not taken keeps its room");
    buffer_drop(&conn);
    is_int(r->len, 0, "when he has gone nothing waits");
    is_int(room(), FIRST + VISIT_RING_EXTRA, "and all of it is given back");
    is_int(gateway.windows.used, 0, "to everybody");
}

static void test_plain(void)
{
    tunnel.session.link.plain = true;
    is_int(buffer_passed(&conn, 12345), 12345, "plain mode knows no window");
    is_int(room(), FIRST + VISIT_RING_EXTRA, "and no other room");
}

int main(void)
{
    set_up();
    test_grows();
    test_shrinks();
    test_keeps_what_waits();
    test_plain();
    return done_testing();
}
