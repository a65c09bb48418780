/* HTTP load: keep-alive connections, each with one request under way; one thread.
 *
 *   load --port P --mode twilio|kannel|batch|post [--connections 64] [--seconds 10] [--warmup 2] [--rate R]
 *        [--path PATH] [--auth BASE64] [--from NUMBER] [--recipients 1000] [--first N] [--extra QUERY] [--requests N]
 *
 * Without --rate the loop is closed: a connection sends when it has its answer. With --rate requests have times at
 * which they are due, and a request that finds no free connection waits: its latency begins when it was due.
 * With --requests it ends when as many have their answer, however long that takes.
 * SIGTERM ends it early, with its results.
 * Prints `{"measuring": <µs>}` when the warm-up is over, and one object of results at the end. */
#include "common.h"
#include <getopt.h>
#include <signal.h>
#include <strings.h>
#include <sys/timerfd.h>

typedef struct {
    int fd;
    int busy;
    int blocked; /* the socket took not all of the request */
    int64_t began_us; /* of the request under way */
    Buffer in, out;
} Link;

static int port, connections = 64, recipients = 1000;
static double seconds = 10, warmup = 2, rate = 0;
static const char *mode = "twilio", *path = "/", *auth = "", *from = "14155550100", *extra = "";
static long requests = 0, sent = 0;
static int64_t sequence = 0, measuring_us, ends_us;
static int poll_fd;
static Link *links;
static Latencies latencies;
static long count, errors, refused;
static char first_error[400];
static Buffer body;
static volatile sig_atomic_t stopping;

static void stop(int number)
{
    stopping = number;
}

/* Numbers that are valid in North America, each of them once: eight million to an area. */
static void recipient(char *text, int64_t n)
{
    static const char *areas[] = {"415", "212", "310", "617", "702", "206", "312", "404", "305", "512",
                                  "713", "214", "303", "602", "503", "615", "919", "412", "216", "313"};
    sprintf(text, "1%s%07d", areas[n / 8000000 % 20], (int)(2000000 + n % 8000000));
}

static void add_format(Buffer *b, const char *text)
{
    buffer_add(b, text, strlen(text));
}

static void add_post(Buffer *out, const char *type)
{
    char head[600];
    int n = snprintf(head, sizeof head,
                     "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAuthorization: Basic %s\r\nContent-Type: %s\r\n"
                     "Content-Length: %zu\r\n\r\n", path, port, auth, type, body.to - body.from);
    buffer_add(out, head, n);
    buffer_add(out, body.octets + body.from, body.to - body.from);
    body.from = body.to = 0;
}

static void write_request(Buffer *out, int64_t at_us)
{
    char text[600], to[20], stamp[40];
    sprintf(stamp, "%c%lldZ", measuring_us ? 'T' : 'W', (long long)at_us);
    if (!strcmp(mode, "twilio")) {
        recipient(to, sequence++);
        snprintf(text, sizeof text, "To=%%2B%s&From=%%2B%s&Body=Your+order+is+on+its+way.+%s%s", to, from, stamp, extra);
        add_format(&body, text);
        add_post(out, "application/x-www-form-urlencoded");
    } else if (!strcmp(mode, "kannel")) {
        recipient(to, sequence++);
        snprintf(text, sizeof text, "GET %s?username=bench&password=bench&from=%%2B%s&to=%%2B%s&text=Your+order+is+on+its+way.+%s%s"
                 " HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", path, from, to, stamp, extra, port);
        add_format(out, text);
    } else if (!strcmp(mode, "batch")) {
        snprintf(text, sizeof text, "{\"from\": \"+%s\", \"body\": \"Your order is on its way. %s\", \"recipients\": [", from, stamp);
        add_format(&body, text);
        for (int i = 0; i < recipients; i++) {
            recipient(to, sequence++);
            snprintf(text, sizeof text, "%s{\"to\": \"+%s\"}", i ? "," : "", to);
            add_format(&body, text);
        }
        add_format(&body, "]}");
        add_post(out, "application/json");
    } else {
        add_format(&body, "To=%2B14155550101&From=%2B14155550100&Body=Your+order+is+on+its+way.");
        add_post(out, "application/x-www-form-urlencoded");
    }
}

static void link_open(Link *link)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    link->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(link->fd, (struct sockaddr *)&address, sizeof address))
        die("connect");
    no_delay(link->fd);
    no_wait(link->fd);
    link->busy = link->blocked = 0;
    link->in.from = link->in.to = link->out.from = link->out.to = 0;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = link};
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, link->fd, &event);
}

static void link_reopen(Link *link)
{
    close(link->fd);
    link_open(link);
}

static void link_flush(Link *link)
{
    int blocked = buffer_flush(&link->out, link->fd) > 0; /* a peer that is gone is seen by the next read */
    struct epoll_event event = {.events = EPOLLIN | (blocked ? EPOLLOUT : 0), .data.ptr = link};
    if (blocked != link->blocked)
        epoll_ctl(poll_fd, EPOLL_CTL_MOD, link->fd, &event);
    link->blocked = blocked;
}

static void link_send(Link *link, int64_t due_us)
{
    if (requests && sent >= requests)
        return;
    sent++;
    link->busy = 1;
    link->began_us = due_us;
    write_request(&link->out, due_us);
    link_flush(link);
}

/* Length of the first whole answer in the buffer, 0 if it is not whole yet. */
static size_t whole_answer(Buffer *b, int *status, int *closes)
{
    char *head = b->octets + b->from;
    size_t size = b->to - b->from;
    char *end = memmem(head, size, "\r\n\r\n", 4);
    if (!end)
        return 0;
    *status = atoi(head + 9);
    long length = -1;
    for (char *line = memmem(head, size, "\r\n", 2); line && line < end; line = memmem(line + 2, end + 2 - line, "\r\n", 2)) {
        if (!strncasecmp(line + 2, "content-length:", 15))
            length = atol(line + 17);
        if (!strncasecmp(line + 2, "connection: close", 17))
            *closes = 1;
    }
    if (length < 0) {
        fprintf(stderr, "an answer without Content-Length: %.*s\n", (int)(end - head), head);
        exit(1);
    }
    size_t whole = end + 4 - head + length;
    return size >= whole ? whole : 0;
}

static void failed(const char *text, size_t size)
{
    errors++;
    if (!first_error[0])
        snprintf(first_error, sizeof first_error, "%.*s", (int)size, text);
}

static void answered(Link *link, int64_t at_us, int status, const char *answer, size_t size)
{
    link->busy = 0;
    if (!measuring_us || at_us > ends_us)
        return;
    if (status / 100 != 2) {
        refused += memmem(answer, size, "21610", 5) != NULL;
        failed(answer, size);
        return;
    }
    count++;
    if (link->began_us >= measuring_us)
        latency_add(&latencies, at_us - link->began_us);
}

static void options(int argc, char **argv)
{
    static const struct option names[] = {
        {"port", 1, 0, 'p'}, {"mode", 1, 0, 'm'}, {"connections", 1, 0, 'c'}, {"seconds", 1, 0, 's'},
        {"warmup", 1, 0, 'w'}, {"rate", 1, 0, 'r'}, {"path", 1, 0, 'u'}, {"auth", 1, 0, 'a'},
        {"from", 1, 0, 'f'}, {"recipients", 1, 0, 'n'}, {"first", 1, 0, 'i'}, {"extra", 1, 0, 'x'}, {"requests", 1, 0, 'q'}, {0}};
    for (int o; (o = getopt_long(argc, argv, "", names, 0)) != -1;) {
        switch (o) {
        case 'p': port = atoi(optarg); break;
        case 'm': mode = optarg; break;
        case 'c': connections = atoi(optarg); break;
        case 's': seconds = atof(optarg); break;
        case 'w': warmup = atof(optarg); break;
        case 'r': rate = atof(optarg); break;
        case 'u': path = optarg; break;
        case 'a': auth = optarg; break;
        case 'f': from = optarg; break;
        case 'n': recipients = atoi(optarg); break;
        case 'i': sequence = atoll(optarg); break;
        case 'x': extra = optarg; break;
        case 'q': requests = atol(optarg); break;
        default: exit(2);
        }
    }
    if (!port || connections < 1) {
        fprintf(stderr, "load: --port is needed\n");
        exit(2);
    }
}

int main(int argc, char **argv)
{
    options(argc, argv);
    signal(SIGTERM, stop);
    poll_fd = epoll_create1(0);
    links = calloc(connections, sizeof *links);
    for (int i = 0; i < connections; i++)
        link_open(&links[i]);

    int64_t began_us = now_us(), next_us = began_us, warm_us = began_us + warmup * 1e6;
    double step_us = rate > 0 ? 1e6 / rate : 0;
    long due = 0; /* requests whose time has come, of a fixed rate */
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK), turn = 0;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, timer, &event);
    ends_us = warm_us + seconds * 1e6;

    for (;;) {
        int64_t at_us = now_us();
        if (!measuring_us && at_us >= warm_us) {
            measuring_us = at_us;
            ends_us = at_us + seconds * 1e6;
            printf("{\"measuring\": %lld}\n", (long long)at_us);
            fflush(stdout);
        }
        if (stopping || at_us >= ends_us || (requests && count + errors >= requests))
            break;
        if (rate > 0) {
            next_us = began_us + due * step_us;
            for (int looked = 0; next_us <= at_us && looked < connections; looked++) {
                Link *link = &links[turn++ % connections];
                if (link->busy)
                    continue;
                link_send(link, next_us);
                next_us = began_us + ++due * step_us;
                looked = -1;
            }
            /* Late ones wait for an answer; else the timer rings for the next. */
            struct itimerspec ring = {.it_value = {next_us / 1000000, next_us % 1000000 * 1000}};
            if (next_us > at_us)
                timerfd_settime(timer, TFD_TIMER_ABSTIME, &ring, NULL);
        } else {
            for (int i = 0; i < connections; i++)
                if (!links[i].busy)
                    link_send(&links[i], at_us);
        }
        struct epoll_event events[256];
        int found = epoll_wait(poll_fd, events, 256, 20);
        for (int i = 0; i < found; i++) {
            Link *link = events[i].data.ptr;
            if (!link) {
                uint64_t rings;
                if (read(timer, &rings, sizeof rings) < 0 && errno != EAGAIN)
                    die("timer");
                continue;
            }
            if (events[i].events & EPOLLOUT)
                link_flush(link);
            ssize_t got = buffer_read(&link->in, link->fd);
            if (got < 0) {
                if (link->busy && measuring_us)
                    failed("the connection was closed", 25);
                link_reopen(link);
                continue;
            }
            int status = 0, closes = 0;
            size_t whole = got ? whole_answer(&link->in, &status, &closes) : 0;
            if (whole) {
                int64_t then_us = now_us();
                answered(link, then_us, status, link->in.octets + link->in.from, whole);
                link->in.from += whole;
                if (closes)
                    link_reopen(link);
                else if (!rate && then_us < ends_us)
                    link_send(link, then_us);
            }
        }
    }
    int64_t at_us = now_us();
    printf("{\"mode\": \"%s\", \"began_us\": %lld, \"ended_us\": %lld, \"count\": %ld, \"rate\": %.1f, \"errors\": %ld, "
           "\"refused\": %ld, \"sequence\": %lld, ", mode, (long long)measuring_us, (long long)at_us, count,
           count * 1e6 / (at_us - measuring_us), errors, refused, (long long)sequence);
    latency_print(&latencies);
    for (char *c = first_error; *c; c++)
        if (*c == '"' || *c == '\\' || *c < ' ')
            *c = '\'';
    printf(", \"cpu_s\": %.3f, \"cpu_share\": %.3f, \"first_error\": \"%s\"}\n", cpu_seconds(),
           cpu_seconds() * 1e6 / (at_us - began_us), first_error);
    return 0;
}
