#include "tap.h"

#include "../../src/gateway/page.h"
#include "codec/http.h"

static uint8_t out[PAGE_MAX];

static struct str written(const struct page *p)
{
    struct writer w;

    writer_init(&w, out, sizeof out);
    page_write(&w, p);
    ok(writer_fits(&w), "a page of status %u fits", p->status);
    return (struct str){ out, writer_stored(&w) };
}

static bool contains(struct str s, const char *text)
{
    return memmem(s.p, s.n, text, strlen(text)) != NULL;
}

/* A page is a response that our own parser takes, and its length is true. */
static void well_formed(const struct page *p, bool keeps)
{
    struct str page = written(p);
    struct http_head head;
    struct http_framing framing;
    int len = http_response_parse(page.p, page.n, 0, &head);

    ok(len > 0 && head.status == p->status, "its head is complete");
    is_int(http_response_framing(&head, p->head ? STR("HEAD") : STR("GET"), &framing), 0,
           "and says how long it is");
    if (p->head)
        is_int((int64_t)page.n, len, "HEAD has no body");
    else
        is_int((int64_t)page.n, len + (int64_t)framing.length, "the body is as long as it says");
    is_int(p->minor == 1 ? framing.keep_alive : contains(page, "keep-alive"), keeps,
           "keep-alive is %d", keeps);
}

static void escaping(void)
{
    struct page p = { .status = 502, .minor = 1,
                      .text = STR("<script>a & b</script>\x01\r\n\x7f") };
    struct str page = written(&p);

    ok(!contains(page, "<script>"), "markup in a text stays text");
    ok(contains(page, "&lt;script&gt;a &amp; b&lt;/script&gt;   "), "escaped, no controls");
}

static void dates(void)
{
    struct page p = { .status = 404, .minor = 1, .unix_now = 784111777 };

    ok(contains(written(&p), "\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"), "Date");
}

static void longest(void)
{
    uint8_t text[PAGE_TEXT_MAX + 1];
    struct page p = { .status = 431, .text = { text, sizeof text }, .retry_after = 4294967295u,
                      .minor = 1, .websocket = true, .close = true };

    memset(text, '&', sizeof text);
    written(&p);
}

int main(void)
{
    struct str retry;

    well_formed(&(struct page){ .status = 404, .text = STR("Nothing."), .minor = 1 }, true);
    well_formed(&(struct page){ .status = 404, .text = STR("Nothing."), .minor = 0 }, true);
    well_formed(&(struct page){ .status = 400, .minor = 1, .close = true }, false);
    well_formed(&(struct page){ .status = 400, .minor = 0, .close = true }, false);
    well_formed(&(struct page){ .status = 502, .text = STR("x"), .minor = 1, .head = true }, true);
    escaping();
    longest();
    dates();
    retry = written(&(struct page){ .status = 503, .retry_after = 5, .minor = 1 });
    ok(contains(retry, "\r\nRetry-After: 5\r\n"), "Retry-After");
    ok(contains(retry, "\r\nCache-Control: no-store\r\n"), "never cached");
    retry = written(&(struct page){ .status = 426, .websocket = true, .minor = 1 });
    ok(contains(retry, "\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"), "426 says to what");
    return done_testing();
}
