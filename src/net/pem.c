#include "pem.h"

#include <bearssl.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "err.h"

#define PIECE_MAX 512

struct walk {
    br_pem_decoder_context pem;
    const struct pem_visitor *visitor;
    void *context;
    int count;
    bool inside;
    bool done;
};

/* Returns 0 or ERR_FILE. */
static int push(struct walk *w, const char *p, size_t n)
{
    while (n > 0 && !w->done) {
        size_t took = br_pem_decoder_push(&w->pem, p, n);

        p += took;
        n -= took;
        switch (br_pem_decoder_event(&w->pem)) {
        case BR_PEM_BEGIN_OBJ:
            w->count++;
            w->inside = true;
            w->visitor->begin(w->context, br_pem_decoder_name(&w->pem));
            br_pem_decoder_setdest(&w->pem, w->visitor->data, w->context);
            break;
        case BR_PEM_END_OBJ:
            w->inside = false;
            w->done = !w->visitor->end(w->context);
            break;
        case BR_PEM_ERROR:
            return ERR_FILE;
        default:
            break;
        }
    }
    return 0;
}

/* BearSSL takes the CR of a CRLF into the label. */
static size_t drop_cr(char *p, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        if (p[i] != '\r')
            p[kept++] = p[i];
    }
    return kept;
}

static int walk_fd(struct walk *w, int fd)
{
    char piece[PIECE_MAX];
    ssize_t got;

    while (!w->done) {
        do
            got = read(fd, piece, sizeof piece);
        while (got < 0 && errno == EINTR);
        if (got < 0)
            return ERR_FILE;
        /* The decoder sees a line's end only in its newline, which the last one may lack. */
        if (got == 0)
            return push(w, "\n", 1) < 0 || (w->inside && !w->done) ? ERR_FILE : 0;
        if (push(w, piece, drop_cr(piece, (size_t)got)) < 0)
            return ERR_FILE;
    }
    return 0;
}

int pem_walk(const char *path, const struct pem_visitor *visitor, void *context)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct walk w = { .visitor = visitor, .context = context };
    int result;

    if (fd < 0)
        return ERR_FILE;
    br_pem_decoder_init(&w.pem);
    result = walk_fd(&w, fd);
    close(fd);
    return result < 0 ? result : w.count;
}

bool pem_is_certificate(const char *name)
{
    return strcmp(name, "CERTIFICATE") == 0 || strcmp(name, "X509 CERTIFICATE") == 0;
}
