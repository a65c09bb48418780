/* A message centre: SMPP 3.4 over loopback, one thread. Takes every bind and every submit_sm, answers at once.
 *
 *   smsc [--port P] [--window 10] [--receipt-delay-ms 50] [--receipt-window 100]
 *
 * Prints `{"port": …}` first. Lines on standard input:
 *   receipts on|off           a delivery receipt for each submit_sm that asks for one
 *   inbound COUNT TO          deliver_sm to TO, each from another number, `window` of them unanswered at a time
 *   text FROM TO BODY         one deliver_sm at once; its answer prints `{"text": FROM, "sent_us": …, "acked_us": …}`
 *   reset, report             counts since the last reset
 * Ends with standard input. TCP acknowledges at once and never waits for more to send. */
#include "common.h"
#include <getopt.h>

enum { RECEIVER = 1, TRANSMITTER = 2, SUBMIT = 4, DELIVER = 5, UNBIND = 6, TRANSCEIVER = 9, ENQUIRE = 0x15 };
#define RESPONSE 0x80000000u
#define HEADER 16
#define PDU_MAX 70000
#define STATUS_INVALID_COMMAND 3

typedef enum { RECEIPT, INBOUND, TEXT } Kind;
typedef struct { Kind kind; uint32_t sequence; int64_t sent_us; char from[24]; } Waiting;

typedef struct Link {
    int fd;
    int hears; /* bound as receiver or transceiver */
    int blocked; /* the socket took not all that is to be said */
    uint32_t sequence;
    Buffer in, out;
    Waiting *waiting; /* deliver_sm without an answer, by sequence modulo `ROOM` */
    struct Link *next;
} Link;
#define ROOM 65536

typedef struct { int64_t due_us; long id; char from[24], to[24]; } Receipt;

static int poll_fd, window = 10, receipt_window = 100, receipts_on;
static int64_t receipt_delay_us = 50000;
static Link *links;
static long ids, submitted, acked, receipts_acked, refused, unstamped;
static long inbound_left, inbound_sent, inbound_out, receipts_out;
static char inbound_to[24];
static int64_t first_us, last_us;
static Latencies latencies, acks;
static Counts submits, delivers, receipts;
static Receipt *due; /* a ring */
static size_t due_from, due_to, due_room;

static uint32_t get32(const char *at)
{
    uint32_t n;
    memcpy(&n, at, 4);
    return ntohl(n);
}

static void put32(char *at, uint32_t n)
{
    n = htonl(n);
    memcpy(at, &n, 4);
}

static void add_pdu(Link *link, uint32_t command, uint32_t status, uint32_t sequence, const char *body, size_t size)
{
    char head[HEADER];
    put32(head, HEADER + size);
    put32(head + 4, command);
    put32(head + 8, status);
    put32(head + 12, sequence);
    buffer_add(&link->out, head, HEADER);
    buffer_add(&link->out, body, size);
}

/* The link that hears: gateways may bind a transmitter and a receiver. */
static Link *hearing(void)
{
    for (Link *link = links; link; link = link->next)
        if (link->hears)
            return link;
    return NULL;
}

static void deliver(Link *link, Kind kind, const char *from, const char *to, int esm_class, const char *text)
{
    char body[600];
    size_t n = 0, size = strlen(text);
    body[n++] = 0; /* service_type */
    body[n++] = 1; /* international, ISDN */
    body[n++] = 1;
    n += sprintf(body + n, "%s", from) + 1;
    body[n++] = 1;
    body[n++] = 1;
    n += sprintf(body + n, "%s", to) + 1;
    body[n++] = esm_class;
    memset(body + n, 0, 8); /* protocol, priority, two times, registered_delivery, replace, data_coding, default message */
    n += 8;
    body[n++] = size;
    memcpy(body + n, text, size);
    n += size;
    Waiting *waiting = &link->waiting[++link->sequence % ROOM];
    *waiting = (Waiting){.kind = kind, .sequence = link->sequence, .sent_us = now_us()};
    snprintf(waiting->from, sizeof waiting->from, "%s", from);
    add_pdu(link, DELIVER, 0, link->sequence, body, n);
}

static void send_inbound(Link *link)
{
    while (inbound_left > 0 && inbound_out < window) {
        char from[24], text[100];
        snprintf(from, sizeof from, "1628%07ld", 2000000 + inbound_sent % 8000000);
        snprintf(text, sizeof text, "Is my order number %ld on its way? T%lldZ", inbound_sent, (long long)now_us());
        deliver(link, INBOUND, from, inbound_to, 0, text);
        inbound_sent++;
        inbound_left--;
        inbound_out++;
    }
}

static void send_receipts(Link *link, int64_t at_us)
{
    while (due_from != due_to && receipts_out < receipt_window && due[due_from].due_us <= at_us) {
        Receipt *receipt = &due[due_from];
        char text[200];
        snprintf(text, sizeof text, "id:%010ld sub:001 dlvrd:001 submit date:2601010000 done date:2601010000 stat:DELIVRD err:000 text:",
                 receipt->id);
        deliver(link, RECEIPT, receipt->to, receipt->from, 4, text);
        receipts_out++;
        due_from = (due_from + 1) % due_room;
    }
}

static void remember_receipt(long id, const char *from, const char *to, int64_t at_us)
{
    if (!due_room || (due_to + 1) % due_room == due_from) {
        size_t count = due_room ? (due_to + due_room - due_from) % due_room : 0, room = due_room * 2 + 4096;
        Receipt *more = malloc(room * sizeof *more);
        if (!more)
            die("memory");
        for (size_t i = 0; i < count; i++)
            more[i] = due[(due_from + i) % due_room];
        free(due);
        due = more;
        due_from = 0;
        due_to = count;
        due_room = room;
    }
    Receipt *receipt = &due[due_to];
    *receipt = (Receipt){.due_us = at_us + receipt_delay_us, .id = id};
    snprintf(receipt->from, sizeof receipt->from, "%s", from);
    snprintf(receipt->to, sizeof receipt->to, "%s", to);
    due_to = (due_to + 1) % due_room;
}

static void take_submit(Link *link, uint32_t sequence, const char *at, const char *end)
{
    int64_t at_us = now_us();
    char id[24];
    const char *source, *target;
    at += strnlen(at, end - at) + 1; /* service_type */
    source = at + 2;
    at = source + strnlen(source, end - source) + 1;
    target = at + 2;
    at = target + strnlen(target, end - target) + 1;
    at += 3; /* esm_class, protocol_id, priority_flag */
    at += strnlen(at, end - at) + 1;
    at += strnlen(at, end - at) + 1;
    if (at + 5 > end) {
        add_pdu(link, RESPONSE | SUBMIT, STATUS_INVALID_COMMAND, sequence, "", 0);
        refused++;
        return;
    }
    int wants_receipt = at[0] & 1, size = (unsigned char)at[4];
    int64_t stamp = stamp_in(at + 5, at + 5 + size > end ? (size_t)(end - at - 5) : (size_t)size);
    int n = sprintf(id, "%010ld", ++ids);
    add_pdu(link, RESPONSE | SUBMIT, 0, sequence, id, n + 1);
    submitted++;
    count_add(&submits, at_us);
    if (stamp)
        latency_add(&latencies, at_us - stamp);
    else
        unstamped++;
    if (!first_us)
        first_us = at_us;
    last_us = at_us;
    if (receipts_on && wants_receipt)
        remember_receipt(ids, source, target, at_us);
}

static void take_ack(Link *link, uint32_t status, uint32_t sequence)
{
    Waiting *waiting = &link->waiting[sequence % ROOM];
    if (waiting->sequence != sequence)
        return;
    int64_t at_us = now_us();
    waiting->sequence = 0;
    refused += status != 0;
    switch (waiting->kind) {
    case RECEIPT:
        receipts_acked++;
        count_add(&receipts, at_us);
        receipts_out--;
        break;
    case INBOUND:
        inbound_out--;
        if (status == 0) {
            acked++;
            count_add(&delivers, at_us);
            latency_add(&acks, at_us - waiting->sent_us);
        }
        break;
    case TEXT:
        printf("{\"text\": \"%s\", \"status\": %u, \"sent_us\": %lld, \"acked_us\": %lld}\n", waiting->from, status,
               (long long)waiting->sent_us, (long long)at_us);
        fflush(stdout);
        break;
    }
}

static void take(Link *link, const char *pdu, size_t size)
{
    uint32_t command = get32(pdu + 4), status = get32(pdu + 8), sequence = get32(pdu + 12);
    switch (command) {
    case RECEIVER:
    case TRANSCEIVER:
        link->hears = 1; /* and falls through */
        add_pdu(link, RESPONSE | command, 0, sequence, "smsc", 5);
        break;
    case TRANSMITTER:
        add_pdu(link, RESPONSE | command, 0, sequence, "smsc", 5);
        break;
    case SUBMIT:
        take_submit(link, sequence, pdu + HEADER, pdu + size);
        break;
    case RESPONSE | DELIVER:
        take_ack(link, status, sequence);
        break;
    case ENQUIRE:
        add_pdu(link, RESPONSE | ENQUIRE, 0, sequence, "", 0);
        break;
    case UNBIND:
        link->hears = 0;
        add_pdu(link, RESPONSE | UNBIND, 0, sequence, "", 0);
        break;
    default:
        if (!(command & RESPONSE))
            add_pdu(link, RESPONSE, STATUS_INVALID_COMMAND, sequence, "", 0);
    }
}

static void report(void)
{
    int64_t at_us = now_us();
    int bound = 0;
    for (Link *link = links; link; link = link->next)
        bound += link->hears;
    printf("{\"at_us\": %lld, \"began_us\": %lld, \"hearing\": %d, \"submitted\": %ld, \"unstamped\": %ld, \"first_us\": %lld, "
           "\"last_us\": %lld, ", (long long)at_us, (long long)submits.began_us, bound, submitted, unstamped,
           (long long)first_us, (long long)last_us);
    latency_print(&latencies);
    printf(", \"receipts_acked\": %ld, \"receipts_waiting\": %ld, \"refused\": %ld, \"inbound_sent\": %ld, \"inbound_acked\": %ld, "
           "\"acks\": {", receipts_acked, due_room ? (long)((due_to + due_room - due_from) % due_room) + receipts_out : 0, refused,
           inbound_sent, acked);
    latency_print(&acks);
    printf("}, \"cpu_s\": %.3f, \"submit_steps\": ", cpu_seconds());
    count_print(&submits, at_us);
    printf(", \"deliver_steps\": ");
    count_print(&delivers, at_us);
    printf(", \"receipt_steps\": ");
    count_print(&receipts, at_us);
    printf("}\n");
    fflush(stdout);
}

static void reset(void)
{
    int64_t at_us = now_us();
    submitted = acked = receipts_acked = refused = unstamped = 0;
    first_us = last_us = 0;
    latencies.count = acks.count = 0;
    count_reset(&submits, at_us);
    count_reset(&delivers, at_us);
    count_reset(&receipts, at_us);
}

static void told(char *line)
{
    char from[24], to[24], body[161];
    long count;
    if (!strcmp(line, "reset"))
        reset();
    else if (!strcmp(line, "report"))
        report();
    else if (!strcmp(line, "receipts on"))
        receipts_on = 1;
    else if (!strcmp(line, "receipts off"))
        receipts_on = 0;
    else if (sscanf(line, "inbound %ld %23s", &count, inbound_to) == 2)
        inbound_left = count;
    else if (sscanf(line, "text %23s %23s %160[^\n]", from, to, body) == 3 && hearing())
        deliver(hearing(), TEXT, from, to, 0, body);
    else
        fprintf(stderr, "smsc: not understood, or nobody is bound to hear it: %s\n", line);
}

static void link_open(int fd)
{
    Link *link = calloc(1, sizeof *link);
    link->fd = fd;
    link->waiting = calloc(ROOM, sizeof *link->waiting);
    link->next = links;
    links = link;
    no_delay(fd);
    no_wait(fd);
    quick_ack(fd);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = link};
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &event);
}

static void link_close(Link *link)
{
    for (size_t i = 0; i < ROOM; i++) {
        inbound_out -= link->waiting[i].sequence && link->waiting[i].kind == INBOUND;
        receipts_out -= link->waiting[i].sequence && link->waiting[i].kind == RECEIPT;
    }
    for (Link **at = &links; *at; at = &(*at)->next)
        if (*at == link) {
            *at = link->next;
            break;
        }
    close(link->fd);
    free(link->waiting);
    free(link->in.octets);
    free(link->out.octets);
    free(link);
}

/* Write all that is to be said; a link whose socket is full is asked again when it has room. */
static void flush_all(void)
{
    for (Link *link = links, *next; link; link = next) {
        next = link->next;
        if (link->out.from == link->out.to)
            continue;
        int left = buffer_flush(&link->out, link->fd);
        if (left < 0) {
            link_close(link);
            continue;
        }
        struct epoll_event event = {.events = EPOLLIN | (left ? EPOLLOUT : 0), .data.ptr = link};
        if (left != link->blocked)
            epoll_ctl(poll_fd, EPOLL_CTL_MOD, link->fd, &event);
        link->blocked = left;
    }
}

static void take_all(Link *link)
{
    if (buffer_read(&link->in, link->fd) < 0) {
        link_close(link);
        return;
    }
    quick_ack(link->fd);
    while (link->in.to - link->in.from >= HEADER) {
        const char *pdu = link->in.octets + link->in.from;
        uint32_t size = get32(pdu);
        if (size < HEADER || size > PDU_MAX) {
            fprintf(stderr, "smsc: a PDU of %u octets\n", size);
            link_close(link);
            return;
        }
        if (link->in.to - link->in.from < size)
            break;
        take(link, pdu, size);
        link->in.from += size;
    }
}

int main(int argc, char **argv)
{
    static const struct option names[] = {{"port", 1, 0, 'p'}, {"window", 1, 0, 'w'}, {"receipt-delay-ms", 1, 0, 'd'},
                                          {"receipt-window", 1, 0, 'r'}, {0}};
    int port = 0;
    for (int o; (o = getopt_long(argc, argv, "", names, 0)) != -1;) {
        switch (o) {
        case 'p': port = atoi(optarg); break;
        case 'w': window = atoi(optarg); break;
        case 'd': receipt_delay_us = atoll(optarg) * 1000; break;
        case 'r': receipt_window = atoi(optarg); break;
        default: exit(2);
        }
    }
    int listener = listen_on(port);
    static Link door, console;
    poll_fd = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &door};
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, listener, &event);
    event.data.ptr = &console;
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, 0, &event);
    submits.began_us = delivers.began_us = receipts.began_us = now_us();
    for (;;) {
        struct epoll_event events[64];
        int64_t at_us = now_us();
        int wait_ms = -1;
        if (due_from != due_to && receipts_out < receipt_window)
            wait_ms = due[due_from].due_us <= at_us ? 0 : (int)((due[due_from].due_us - at_us) / 1000) + 1;
        if (wait_ms == 0 && !hearing())
            wait_ms = 100;
        int found = epoll_wait(poll_fd, events, 64, wait_ms);
        for (int i = 0; i < found; i++) {
            Link *link = events[i].data.ptr;
            if (link == &door) {
                int fd = accept(listener, NULL, NULL);
                if (fd >= 0)
                    link_open(fd);
            } else if (link == &console) {
                buffer_reserve(&console.in, 4096);
                ssize_t n = read(0, console.in.octets + console.in.to, 4096);
                if (n <= 0)
                    return 0;
                console.in.to += n;
                for (char *line; (line = next_line(&console.in));)
                    told(line);
            } else {
                take_all(link);
            }
        }
        Link *link = hearing();
        if (link) {
            send_inbound(link);
            send_receipts(link, now_us());
        }
        flush_all();
    }
}
