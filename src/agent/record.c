#include "agent.h"

uint8_t *record_room(struct agent *a, size_t *n)
{
    return transport_send_buf(&a->transport, n);
}

const uint8_t *record_key(struct agent *a, uint8_t key[4])
{
    entropy_stock(&a->entropy, key, 4);
    return key;
}

void record_ack(struct agent *a, size_t n)
{
    transport_send_ack(&a->transport, n);
    a->record_len += n;
}

void record_send(struct agent *a)
{
    transport_flush(&a->transport);
    transport_push(&a->transport);
    a->record_len = 0;
}
