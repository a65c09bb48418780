/* HTTP sink for webhooks: answers every request with 200 and an empty body, and counts.
 *
 *   sink [port]
 *
 * Prints `{"port": …}` first. Lines on standard input: `reset`, `report`. Ends with standard input. */
#include "common.h"
#include <strings.h>

typedef struct { int fd; Buffer in, out; } Link;

static int poll_fd;
static long count;
static Latencies latencies;
static Counts counts;
static int64_t first_us, last_us;
static const char ANSWER[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n";

/* Length of the first whole request in the buffer, 0 if it is not whole yet. */
static size_t whole_request(Buffer *b)
{
    char *head = b->octets + b->from;
    size_t size = b->to - b->from;
    char *end = memmem(head, size, "\r\n\r\n", 4);
    if (!end)
        return 0;
    long length = 0;
    for (char *line = memmem(head, size, "\r\n", 2); line && line < end; line = memmem(line + 2, end + 2 - line, "\r\n", 2))
        if (!strncasecmp(line + 2, "content-length:", 15))
            length = atol(line + 17);
    size_t whole = end + 4 - head + length;
    return size >= whole ? whole : 0;
}

static void take(const char *request, size_t size)
{
    int64_t at_us = now_us(), stamp = stamp_in(request, size);
    count++;
    count_add(&counts, at_us);
    if (stamp)
        latency_add(&latencies, at_us - stamp);
    if (!first_us)
        first_us = at_us;
    last_us = at_us;
}

static void report(void)
{
    int64_t at_us = now_us();
    printf("{\"at_us\": %lld, \"began_us\": %lld, \"count\": %ld, \"first_us\": %lld, \"last_us\": %lld, ", (long long)at_us,
           (long long)counts.began_us, count, (long long)first_us, (long long)last_us);
    latency_print(&latencies);
    printf(", \"cpu_s\": %.3f, \"steps\": ", cpu_seconds());
    count_print(&counts, at_us);
    printf("}\n");
    fflush(stdout);
}

static void reset(void)
{
    count = first_us = last_us = 0;
    latencies.count = 0;
    count_reset(&counts, now_us());
}

static void told(char *line)
{
    if (!strcmp(line, "reset"))
        reset();
    if (!strcmp(line, "report"))
        report();
}

static void link_close(Link *link)
{
    close(link->fd);
    free(link->in.octets);
    free(link->out.octets);
    free(link);
}

int main(int argc, char **argv)
{
    int listener = listen_on(argc > 1 ? atoi(argv[1]) : 0);
    poll_fd = epoll_create1(0);
    Link door = {.fd = listener}, console = {.fd = 0};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &door};
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, listener, &event);
    event.data.ptr = &console;
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, 0, &event);
    counts.began_us = now_us();
    for (;;) {
        struct epoll_event events[256];
        int found = epoll_wait(poll_fd, events, 256, -1);
        for (int i = 0; i < found; i++) {
            Link *link = events[i].data.ptr;
            if (link == &door) {
                int fd = accept(listener, NULL, NULL);
                if (fd < 0)
                    continue;
                no_delay(fd);
                no_wait(fd);
                Link *new = calloc(1, sizeof *new);
                new->fd = fd;
                event.events = EPOLLIN;
                event.data.ptr = new;
                epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &event);
                continue;
            }
            if (link == &console) {
                buffer_reserve(&link->in, 4096);
                ssize_t n = read(0, link->in.octets + link->in.to, 4096);
                if (n <= 0)
                    return 0;
                link->in.to += n;
                for (char *line; (line = next_line(&link->in));)
                    told(line);
                continue;
            }
            if (buffer_read(&link->in, link->fd) < 0) {
                link_close(link);
                continue;
            }
            for (size_t whole; (whole = whole_request(&link->in));) {
                take(link->in.octets + link->in.from, whole);
                link->in.from += whole;
                buffer_add(&link->out, ANSWER, sizeof ANSWER - 1);
            }
            if (buffer_flush(&link->out, link->fd) < 0)
                link_close(link);
        }
    }
}
