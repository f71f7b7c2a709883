#include "page.h"

#include "codec/http.h"
#include "date.h"

/* Whoever wrote the text, it stays text. */
static void put_escaped(struct writer *w, struct str text)
{
    if (text.n > PAGE_TEXT_MAX)
        text.n = PAGE_TEXT_MAX;
    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = text.p[i];

        if (c == '<')
            writer_text(w, "&lt;");
        else if (c == '>')
            writer_text(w, "&gt;");
        else if (c == '&')
            writer_text(w, "&amp;");
        else
            writer_u8(w, c < ' ' || c == 0x7f ? ' ' : c);
    }
}

static void put_title(struct writer *w, unsigned status)
{
    writer_u64(w, status);
    writer_u8(w, ' ');
    writer_text(w, http_reason(status));
}

static void put_body(struct writer *w, const struct page *p)
{
    writer_text(w, "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>");
    put_title(w, p->status);
    writer_text(w, "</title>\n<h1>");
    put_title(w, p->status);
    writer_text(w, "</h1>\n<p>");
    put_escaped(w, p->text);
    writer_text(w, "</p></html>\n");
}

static void put_connection(struct writer *w, const struct page *p)
{
    if (p->websocket)
        writer_text(w, p->close ? "Upgrade: websocket\r\nConnection: upgrade, close\r\n"
                                : "Upgrade: websocket\r\nConnection: upgrade\r\n");
    else if (p->close)
        writer_text(w, "Connection: close\r\n");
    else if (p->minor == 0)
        writer_text(w, "Connection: keep-alive\r\n");
}

void page_write(struct writer *w, const struct page *p)
{
    struct writer body;

    writer_init(&body, NULL, 0);
    put_body(&body, p);
    writer_text(w, "HTTP/1.1 ");
    put_title(w, p->status);
    writer_text(w, "\r\nDate: ");
    date_write(w, p->unix_now);
    writer_text(w, "\r\nContent-Type: text/html; charset=utf-8\r\n"
                   "Cache-Control: no-store\r\nContent-Length: ");
    writer_u64(w, body.len);
    writer_text(w, "\r\n");
    if (p->retry_after > 0) {
        writer_text(w, "Retry-After: ");
        writer_u64(w, p->retry_after);
        writer_text(w, "\r\n");
    }
    put_connection(w, p);
    writer_text(w, "\r\n");
    if (!p->head)
        put_body(w, p);
}
