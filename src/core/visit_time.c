#include "core/visit.h"

static int64_t after(int64_t now, uint32_t ms)
{
    return ms > 0 ? now + ms : VISIT_NEVER;
}

/*
 * A body that comes so slowly that it never ends keeps a stream as well as none at all. It may be
 * behind the least rate for as long as a head may take; every byte that was received earns its
 * time.
 */
static void earn(struct visit *v, int64_t now, uint64_t heard)
{
    uint32_t rate = v->times->least_rate, most_ms = v->times->header_ms;
    uint64_t came = heard - v->heard;

    v->heard = heard;
    if (rate == 0)
        v->late_at = VISIT_NEVER;
    else if (v->late_at == 0 || came / rate > most_ms / 1000)
        v->late_at = now + most_ms;
    else
        v->late_at += (int64_t)(came * 1000 / rate);
    if (v->late_at > now + most_ms && rate > 0)
        v->late_at = now + most_ms;
}

/* Not once the response has begun: then the local server wants it that way. */
static bool has_rate(const struct visit *v)
{
    return !visit_is_read(v) && v->down == VISIT_ASKED && v->upgrade == VISIT_HTTP && !v->expects;
}

static void arm(struct visit *v)
{
    v->deadline = has_rate(v) && v->late_at < v->until ? v->late_at : v->until;
}

/* An upgraded visitor may be silent for long, but not while something waits for him. */
static bool may_be_silent(const struct visit *v)
{
    return v->upgrade == VISIT_UPGRADED && v->down == VISIT_ANSWERS && v->up != VISIT_DONE &&
           v->ring.len == 0;
}

void visit_progress(struct visit *v, int64_t now, uint64_t heard)
{
    v->until = after(now, may_be_silent(v) ? v->times->upgrade_ms : v->times->request_ms);
    earn(v, now, heard);
    arm(v);
}

void visit_shut(struct visit *v, int64_t now)
{
    v->down = VISIT_SHUT;
    v->until = v->deadline = after(now, v->times->request_ms);
}

/* Is it he who is waited for? */
static bool is_waited_for(const struct visit *v, bool credit)
{
    return v->up == VISIT_BODY && v->upgrade == VISIT_HTTP && credit;
}

static enum visit_verdict refuse(struct visit *v, unsigned code, const char *text)
{
    v->code = code;
    v->text = text;
    return VISIT_REFUSE;
}

static enum visit_verdict refuse_slow(struct visit *v)
{
    return refuse(v, 408, "The rest of the request did not come.");
}

static enum visit_verdict stream_on_time(struct visit *v, int64_t now, uint64_t heard,
                                         bool received, bool credit)
{
    bool waited_for = is_waited_for(v, credit);

    /* Behind the least rate he may be when it is others who have not taken what he sent. */
    if (now < v->until && !(has_rate(v) && waited_for && !received)) {
        v->late_at = 0;
        earn(v, now, heard);
        arm(v);
        return VISIT_GOES_ON;
    }
    if (v->down != VISIT_ASKED)
        return VISIT_CLOSE;
    return waited_for ? refuse_slow(v) : refuse(v, 504, "The device did not answer in time.");
}

enum visit_verdict visit_on_time(struct visit *v, int64_t now, uint64_t heard, bool received,
                                 bool credit)
{
    switch (v->up) {
    case VISIT_IDLE:
        return VISIT_FINISH;
    case VISIT_HEAD:
        v->keep_alive = false;
        return refuse_slow(v);
    case VISIT_WAITS:
        return refuse(v, 503, v->text);
    default:
        return stream_on_time(v, now, heard, received, credit);
    }
}
