/* What the three programs share: one clock, a list of latencies, stamps in texts, and sockets without delay.
 *
 * A stamp is `T<microseconds>Z` in a text (or `W…Z` while warming up): letters and digits only, so that it passes URLs,
 * forms and the GSM alphabet unchanged. All programs run on one machine and read CLOCK_MONOTONIC. */
#ifndef BENCH_COMMON_H
#define BENCH_COMMON_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static inline int64_t now_us(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (int64_t)at.tv_sec * 1000000 + at.tv_nsec / 1000;
}

static inline double cpu_seconds(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return used.ru_utime.tv_sec + used.ru_stime.tv_sec + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static inline void die(const char *what)
{
    perror(what);
    exit(1);
}

/* A buffer that grows; `from` is what was consumed at its head. */
typedef struct { char *octets; size_t from, to, room; } Buffer;

static inline void buffer_reserve(Buffer *b, size_t more)
{
    if (b->from == b->to)
        b->from = b->to = 0;
    if (b->to + more <= b->room)
        return;
    memmove(b->octets, b->octets + b->from, b->to - b->from);
    b->to -= b->from;
    b->from = 0;
    if (b->to + more <= b->room)
        return;
    b->room = (b->to + more) * 2;
    b->octets = realloc(b->octets, b->room);
    if (!b->octets)
        die("memory");
}

static inline void buffer_add(Buffer *b, const void *octets, size_t count)
{
    buffer_reserve(b, count);
    memcpy(b->octets + b->to, octets, count);
    b->to += count;
}

/* Write what the socket takes. 0: all gone, 1: some is left, -1: the peer is gone. */
static inline int buffer_flush(Buffer *b, int fd)
{
    while (b->from < b->to) {
        ssize_t n = send(fd, b->octets + b->from, b->to - b->from, MSG_NOSIGNAL);
        if (n < 0)
            return errno == EAGAIN ? 1 : -1;
        b->from += n;
    }
    return 0;
}

/* Read once. Number of octets, 0: nothing now, -1: the peer is gone. */
static inline ssize_t buffer_read(Buffer *b, int fd)
{
    buffer_reserve(b, 65536);
    ssize_t n = recv(fd, b->octets + b->to, 65536, 0);
    if (n == 0 || (n < 0 && errno != EAGAIN))
        return -1;
    if (n < 0)
        return 0;
    b->to += n;
    return n;
}

/* Latencies in microseconds. */
typedef struct { uint32_t *us; size_t count, room; } Latencies;

static inline void latency_add(Latencies *l, int64_t us)
{
    if (l->count == l->room) {
        l->room = l->room ? l->room * 2 : 1 << 16;
        l->us = realloc(l->us, l->room * sizeof *l->us);
        if (!l->us)
            die("memory");
    }
    l->us[l->count++] = us < 0 ? 0 : us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

static inline int compare_us(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* Prints `"p50_ms": …, "p99_ms": …, "max_ms": …`. */
static inline void latency_print(Latencies *l)
{
    if (!l->count) {
        printf("\"p50_ms\": null, \"p99_ms\": null, \"max_ms\": null");
        return;
    }
    qsort(l->us, l->count, sizeof *l->us, compare_us);
    printf("\"p50_ms\": %.2f, \"p99_ms\": %.2f, \"max_ms\": %.2f", l->us[l->count / 2] / 1e3,
           l->us[l->count - 1 - l->count / 100] / 1e3, l->us[l->count - 1] / 1e3);
}

/* Counts in steps of 100 ms since the last reset. */
#define STEP_US 100000
typedef struct { uint32_t *steps; size_t room; int64_t began_us; } Counts;

static inline void count_add(Counts *c, int64_t at_us)
{
    size_t step = (at_us - c->began_us) / STEP_US;
    if (step >= c->room) {
        size_t room = step * 2 + 1024;
        c->steps = realloc(c->steps, room * sizeof *c->steps);
        if (!c->steps)
            die("memory");
        memset(c->steps + c->room, 0, (room - c->room) * sizeof *c->steps);
        c->room = room;
    }
    c->steps[step]++;
}

static inline void count_reset(Counts *c, int64_t at_us)
{
    if (c->room)
        memset(c->steps, 0, c->room * sizeof *c->steps);
    c->began_us = at_us;
}

static inline void count_print(const Counts *c, int64_t at_us)
{
    size_t steps = (at_us - c->began_us) / STEP_US + 1;
    printf("[");
    for (size_t i = 0; i < steps; i++)
        printf("%s%u", i ? "," : "", i < c->room ? c->steps[i] : 0);
    printf("]");
}

/* The stamp in a text: its microseconds, 0 if there is none. Only stamps of the measured time (`T`) count. */
static inline int64_t stamp_in(const char *text, size_t count)
{
    for (const char *at = text, *end = text + count; at < end && (at = memchr(at, 'T', end - at)); at++) {
        const char *digit = at + 1;
        int64_t us = 0;
        while (digit < end && *digit >= '0' && *digit <= '9' && digit - at < 18)
            us = us * 10 + (*digit++ - '0');
        if (digit - at > 6 && digit < end && *digit == 'Z')
            return us;
    }
    return 0;
}

static inline void no_delay(int fd)
{
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static inline void quick_ack(int fd)
{
    int on = 1; /* holds until the kernel changes its mind: said again after each read */
    setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

static inline void no_wait(int fd)
{
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

/* A listener on loopback; `port` 0 takes a free one. The port it has is printed as the first line. */
static inline int listen_on(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&address, size) || listen(fd, 1024))
        die("listen");
    getsockname(fd, (struct sockaddr *)&address, &size);
    no_wait(fd);
    printf("{\"port\": %d}\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

/* Lines from standard input, for the program that measures. */
static inline char *next_line(Buffer *b)
{
    char *end = memchr(b->octets + b->from, '\n', b->to - b->from);
    if (!end)
        return NULL;
    char *line = b->octets + b->from;
    *end = 0;
    b->from = end + 1 - b->octets;
    return line;
}

#endif
