/* A fake model: answers chat completions on several loopback ports, each with a delay and a form of its own.
 *
 *   fakemodel PORT:json:DELAY_US:CONTENT_BYTES | PORT:sse:DELAY_US:EVENTS:INTERVAL_US | PORT:stats ...
 *
 * One thread. Request bodies are read to their end and thrown away. An event carries the instant it was sent and its
 * number, as @nanoseconds.number@, so that they survive a gateway that writes the JSON anew. Whoever asks the stats
 * port gets what happened on each port since the last question, and how late the timers were.
 */
#include "http.h"

enum kind { JSON, SSE, STATS };
enum { LATE_STEPS = 1 << 16, HEAD_ROOM = 1024, EVENT_ROOM = 1024 };

struct port {
  int number, listener;
  enum kind kind;
  int64_t delay, interval; /* ns */
  int amount;              /* bytes of content, or events */
  char *answer;
  size_t size;
  long calls, whole, cut; /* `cut`: the peer left before the answer's end */
  int64_t received;
};
struct connection {
  struct port *port;
  unsigned turn;
  bool busy;
  int events;  /* sent of this answer */
  int64_t due; /* of the next one */
  char *pending;
  size_t start, end, room;
  struct message request;
};

static struct port ports[64];
static int port_count, poll_fd;
static struct connection *connections[MOST_FDS];
static struct agenda agenda;
static long late_us[LATE_STEPS], late_count;
static char buffer[READ_SIZE];

static const char FIELDS[] =
    "x-request-id: req-bench-00000001\r\nx-model-version: 2026-01-01\r\nx-processing-ms: 12\r\n"
    "x-ratelimit-limit-requests: 10000\r\nx-ratelimit-remaining-requests: 9999\r\nx-ratelimit-reset-requests: 6ms\r\n"
    "x-region: loopback\r\ncache-control: no-cache\r\nserver: fakemodel\r\n";

static void make_json(struct port *port) {
  char *body = malloc((size_t)port->amount + HEAD_ROOM);
  char *text = malloc((size_t)port->amount + 1);
  for (int i = 0; i < port->amount; i++) text[i] = "word "[i % 5];
  text[port->amount] = 0;
  int size = sprintf(body,
                     "{\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion\",\"created\":1760000000,\"model\":\"fake\","
                     "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"%s\"},"
                     "\"finish_reason\":\"stop\"}],"
                     "\"usage\":{\"prompt_tokens\":256,\"completion_tokens\":240,\"total_tokens\":496}}",
                     text);
  port->answer = malloc((size_t)size + HEAD_ROOM);
  port->size = (size_t)sprintf(
      port->answer, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n%s\r\n%s", size, FIELDS, body);
  free(body);
  free(text);
}

static void make_sse_head(struct port *port) {
  port->answer = malloc(HEAD_ROOM);
  port->size = (size_t)sprintf(
      port->answer, "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n%s\r\n", FIELDS);
}

static void drop(int fd) {
  struct connection *c = connections[fd];
  if (c->busy) c->port->cut++;
  c->turn++;
  c->busy = false;
  c->start = c->end = 0;
  close(fd);
}

static void watch(int fd, bool writing) {
  struct epoll_event event = {.events = EPOLLIN | (writing ? EPOLLOUT : 0), .data.u64 = (uint64_t)fd};
  epoll_ctl(poll_fd, EPOLL_CTL_MOD, fd, &event);
}

/* What the socket does not take now waits in `pending`. False: the connection is gone. */
static bool give(int fd, const char *data, size_t size) {
  struct connection *c = connections[fd];
  size_t sent = 0;
  if (c->start == c->end) {
    ssize_t got = send(fd, data, size, MSG_NOSIGNAL);
    if (got < 0 && errno != EAGAIN) {
      drop(fd);
      return false;
    }
    sent = got < 0 ? 0 : (size_t)got;
    if (sent == size) return true;
    c->start = c->end = 0;
    watch(fd, true);
  }
  if (c->end + size - sent > c->room) {
    c->room = c->end + size - sent + (64 << 10);
    c->pending = realloc(c->pending, c->room);
    if (!c->pending) die("pending");
  }
  memcpy(c->pending + c->end, data + sent, size - sent);
  c->end += size - sent;
  return true;
}

static void give_pending(int fd) {
  struct connection *c = connections[fd];
  ssize_t got = send(fd, c->pending + c->start, c->end - c->start, MSG_NOSIGNAL);
  if (got < 0 && errno != EAGAIN) {
    drop(fd);
    return;
  }
  c->start += got < 0 ? 0 : (size_t)got;
  if (c->start == c->end) watch(fd, false);
}

static void answered(struct connection *c) {
  c->busy = false;
  c->port->whole++;
  message_begin(&c->request, false);
}

static void give_event(int fd) {
  struct connection *c = connections[fd];
  struct port *port = c->port;
  char event[EVENT_ROOM], text[2 * EVENT_ROOM + HEAD_ROOM];
  int size = sprintf(event,
                     "data: {\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1760000000,"
                     "\"model\":\"fake\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"@%lld.%d@ word\"},"
                     "\"finish_reason\":%s}]}\n\n",
                     (long long)now_ns(), c->events, c->events + 1 < port->amount ? "null" : "\"stop\"");
  size_t length = 0;
  if (c->events == 0) memcpy(text, port->answer, length = port->size);
  length += (size_t)sprintf(text + length, "%x\r\n%s\r\n", (unsigned)size, event);
  c->events++;
  c->due += port->interval;
  bool last = c->events == port->amount;
  if (last) length += (size_t)sprintf(text + length, "e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n");
  if (!give(fd, text, length)) return;
  if (last)
    answered(c);
  else
    agenda_add(&agenda, (struct due){c->due, fd, c->turn});
}

static int late_at(double share) {
  long wanted = (long)(share * (double)late_count), seen = 0;
  for (int step = 0; step < LATE_STEPS; step++)
    if ((seen += late_us[step]) > wanted) return step;
  return LATE_STEPS - 1;
}

static void give_stats(int fd) {
  static char body[64 * 160], text[64 * 160 + HEAD_ROOM];
  int size = sprintf(body, "{\"timers\":%ld,\"late_us_p50\":%d,\"late_us_p99\":%d,\"ports\":{", late_count,
                     late_count ? late_at(0.5) : 0, late_count ? late_at(0.99) : 0);
  const char *comma = "";
  for (struct port *port = ports; port < ports + port_count; port++) {
    if (port->kind == STATS) continue;
    size += sprintf(body + size, "%s\"%d\":{\"calls\":%ld,\"whole\":%ld,\"cut\":%ld,\"received\":%lld}", comma, port->number,
                    port->calls, port->whole, port->cut, (long long)port->received);
    port->calls = port->whole = port->cut = 0;
    port->received = 0;
    comma = ",";
  }
  size += sprintf(body + size, "}}");
  memset(late_us, 0, sizeof late_us);
  late_count = 0;
  int length = sprintf(
      text, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s", size, body);
  if (give(fd, text, (size_t)length)) answered(connections[fd]);
}

/* The delay is over: everything of a JSON answer, or the next event. */
static void go_on(int fd) {
  struct connection *c = connections[fd];
  if (c->port->kind == SSE)
    give_event(fd);
  else if (give(fd, c->port->answer, c->port->size))
    answered(c);
}

static void asked(int fd) {
  struct connection *c = connections[fd];
  c->busy = true;
  c->events = 0;
  c->due = now_ns() + c->port->delay;
  c->port->calls++;
  c->port->received += c->request.body;
  if (c->port->kind == STATS)
    give_stats(fd);
  else if (c->port->delay == 0)
    go_on(fd);
  else
    agenda_add(&agenda, (struct due){c->due, fd, c->turn});
}

static void read_more(int fd) {
  struct connection *c = connections[fd];
  ssize_t got = recv(fd, buffer, sizeof buffer, 0);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0 || c->busy) { /* nobody here sends a second request before the first is answered */
    drop(fd);
    return;
  }
  size_t used = message_feed(&c->request, buffer, (size_t)got, NULL, NULL);
  if (c->request.state == BROKEN || used < (size_t)got)
    drop(fd);
  else if (c->request.state == WHOLE)
    asked(fd);
}

static void accept_all(struct port *port) {
  for (int fd; (fd = accept4(port->listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
    if (!connections[fd] && !(connections[fd] = calloc(1, sizeof **connections))) die("connection");
    connections[fd]->port = port;
    message_begin(&connections[fd]->request, false);
    no_delay(fd);
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint64_t)fd};
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &event);
  }
}

static void run_due(void) {
  for (int64_t now = now_ns(); agenda_first(&agenda) <= now; now = now_ns()) {
    struct due due = agenda_take(&agenda);
    if (connections[due.fd]->turn != due.turn) continue;
    int64_t late = (now - due.at) / 1000;
    late_us[late < LATE_STEPS ? late : LATE_STEPS - 1]++;
    late_count++;
    go_on(due.fd);
  }
}

static void open_port(const char *words) {
  struct port *port = &ports[port_count++];
  char kind[8] = "";
  long delay_us = 0, interval_us = 0;
  int found = sscanf(words, "%d:%7[a-z]:%ld:%d:%ld", &port->number, kind, &delay_us, &port->amount, &interval_us);
  port->kind = strcmp(kind, "sse") == 0 ? SSE : strcmp(kind, "json") == 0 ? JSON : STATS;
  if (found != (int[]){4, 5, 2}[port->kind]) {
    fprintf(stderr, "fakemodel: cannot read %s\n", words);
    exit(2);
  }
  port->delay = delay_us * 1000;
  port->interval = interval_us * 1000;
  if (port->kind == JSON) make_json(port);
  if (port->kind == SSE) make_sse_head(port);
  struct sockaddr_in address = loopback(port->number);
  int one = 1;
  port->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  setsockopt(port->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(port->listener, (struct sockaddr *)&address, sizeof address) || listen(port->listener, 4096)) die(words);
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint64_t)MOST_FDS + (uint64_t)(port - ports)};
  epoll_ctl(poll_fd, EPOLL_CTL_ADD, port->listener, &event);
}

int main(int count, char **words) {
  struct epoll_event events[256];
  prepare_process();
  poll_fd = epoll_create1(0);
  for (int i = 1; i < count && i <= 64; i++) open_port(words[i]);
  for (;;) {
    int found = wait_until(poll_fd, events, 256, agenda_first(&agenda));
    for (int i = 0; i < found; i++) {
      uint64_t what = events[i].data.u64;
      if (what >= MOST_FDS) {
        accept_all(&ports[what - MOST_FDS]);
        continue;
      }
      unsigned turn = connections[what]->turn;
      if (events[i].events & EPOLLOUT) give_pending((int)what);
      if (events[i].events & ~EPOLLOUT && connections[what]->turn == turn) read_more((int)what);
    }
    run_due();
  }
}
