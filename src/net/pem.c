#include "pem.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "codec/base64.h"
#include "err.h"

#define PIECE_MAX 512
#define CHUNK_MAX 64
/* Longer lines are no boundaries. */
#define LINE_MAX_LEN 80
/* Longer labels are cut: nobody asks for one. */
#define LABEL_MAX 23

#define BEGIN "-----BEGIN "
#define END "-----END "
#define DASHES "-----"

struct walk {
    struct pem_reader *r;
    bool inside; /* an object */
    bool done;
    /* A line outside of an object, or one inside that begins with a dash. */
    bool boundary;
    size_t line_len;
    char line[LINE_MAX_LEN + 1];
    char label[LABEL_MAX + 1];
    size_t len; /* of the object so far; beyond the room: too long */
    /* Characters of an object that are not decoded yet. */
    struct base64 base64;
    size_t chunk_len;
    uint8_t chunk[CHUNK_MAX];
};

/* Returns 0 or ERR_FILE. */
static int decode_chunk(struct walk *w)
{
    /* In place: it never gets longer. */
    int n = base64_decode(&w->base64, w->chunk, w->chunk_len, w->chunk);

    w->chunk_len = 0;
    if (n < 0)
        return ERR_FILE;
    if (w->len <= w->r->cap && (size_t)n <= w->r->cap - w->len)
        memcpy(w->r->room + w->len, w->chunk, (size_t)n);
    w->len += (size_t)n;
    return 0;
}

/* Terminates the line without the blanks at its end. */
static void trim(struct walk *w)
{
    while (w->line_len > 0 && (uint8_t)w->line[w->line_len - 1] <= ' ')
        w->line_len--;
    w->line[w->line_len] = '\0';
}

static void on_line_outside(struct walk *w)
{
    const size_t head = sizeof BEGIN - 1, tail = sizeof DASHES - 1;
    size_t label;

    if (w->line_len < head + tail || memcmp(w->line, BEGIN, head) != 0 ||
        memcmp(w->line + w->line_len - tail, DASHES, tail) != 0)
        return;
    label = w->line_len - head - tail;
    if (label > LABEL_MAX)
        label = LABEL_MAX;
    memcpy(w->label, w->line + head, label);
    w->label[label] = '\0';
    w->inside = true;
    w->len = 0;
    memset(&w->base64, 0, sizeof w->base64);
}

static int on_end_line(struct walk *w)
{
    struct str der = { NULL, 0 };

    if (strncmp(w->line, END, sizeof END - 1) != 0 || decode_chunk(w) < 0 ||
        !base64_ends(&w->base64))
        return ERR_FILE;
    if (w->len <= w->r->cap)
        der = (struct str){ w->r->room, w->len };
    w->inside = false;
    w->done = !w->r->take(w->r->context, w->label, der);
    return 0;
}

static int on_newline(struct walk *w)
{
    int result = 0;

    trim(w);
    if (!w->inside)
        on_line_outside(w);
    else if (w->boundary)
        result = on_end_line(w);
    w->line_len = 0;
    w->boundary = !w->inside;
    return result;
}

static int on_char(struct walk *w, char c)
{
    if (c == '\n')
        return on_newline(w);
    if (w->inside && c == '-')
        w->boundary = true;
    if (w->boundary) {
        if (w->line_len < LINE_MAX_LEN)
            w->line[w->line_len++] = c;
        return 0;
    }
    if ((uint8_t)c > ' ')
        w->chunk[w->chunk_len++] = (uint8_t)c;
    return w->chunk_len == CHUNK_MAX ? decode_chunk(w) : 0;
}

static int walk_fd(struct walk *w, int fd)
{
    char piece[PIECE_MAX];
    ssize_t got;

    do {
        got = read(fd, piece, sizeof piece);
        for (ssize_t i = 0; i < got && !w->done; i++) {
            if (on_char(w, piece[i]) < 0)
                return ERR_FILE;
        }
    } while (got > 0 && !w->done);
    /* The last line may lack its end. */
    if (got == 0 && !w->done && on_newline(w) < 0)
        return ERR_FILE;
    return got < 0 || (w->inside && !w->done) ? ERR_FILE : 0;
}

int pem_walk_fd(int fd, struct pem_reader *r)
{
    struct walk w = { .r = r, .boundary = true };

    /* A pipe cannot be rewound, and is read once. */
    lseek(fd, 0, SEEK_SET);
    return walk_fd(&w, fd);
}

int pem_walk(const char *path, struct pem_reader *r)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int result = pem_walk_fd(fd, r);

    if (fd >= 0)
        close(fd);
    return result;
}

bool pem_is_certificate(const char *label)
{
    return strcmp(label, "CERTIFICATE") == 0 || strcmp(label, "X509 CERTIFICATE") == 0;
}
