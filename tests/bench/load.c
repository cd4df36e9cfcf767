/* A load generator: one thread, one JSON line.
 *
 *   load closed  port=N conns=64 seconds=3                    each connection asks again as soon as it was answered
 *   load open    port=N conns=128 seconds=3 rate=200 [even=1]  calls are due at random (or even) instants
 *   load streams port=N streams=1000 over_ms=1000 events=50   one call per connection, started evenly over a while
 *
 * Common: body=BYTES of the request, answer=LEAST bytes of a good answer, warm_ms=N not counted,
 * path=/v1/chat/completions, header=NAME:VALUE (many). A call is late from the instant it was
 * due, not from the instant it was sent. The connection that was idle last is used first, as pools of clients do.
 * Good is: status 200, whole by its framing, long enough, and of a stream every event in order. All else is `bad`.
 */
#include "ask.h"
#include "http.h"
#include "series.h"

#include <math.h>

enum { STATUS, LENGTH, FRAMING, CLOSED, CONNECT, UNFINISHED, REASONS };
static const char *const NAMES[REASONS] = {"status", "length", "framing", "closed", "connect", "unfinished"};
static const int64_t GRACE = 20 * SECOND, PAUSE = SECOND / 100;

struct connection {
  bool open, busy;
  int fd;
  unsigned turn;
  size_t sent;
  int64_t due, first;
  int events;
  bool disordered;
  char stamp[48]; /* what was read since an @, while it may be a stamp */
  size_t stamp_size;
  struct message answer;
};
static struct series latency, first_byte, lateness;
static struct connection *connections;
static struct agenda agenda; /* streams that begin, closed-loop connections that begin again */
static int *idle, idle_count, connection_count, busy_count, poll_fd, bad_status;
static int64_t *overdue, counted_from, ends; /* calls that are due and have no connection yet: a list read from the front */
static size_t overdue_first, overdue_count, overdue_room;
static long good, in_time, bad[REASONS];
static int64_t answer_bytes;
static char buffer[READ_SIZE];

static void watch(struct connection *c, int how, bool writing) {
  struct epoll_event event = {.events = EPOLLIN | (writing ? EPOLLOUT : 0), .data.ptr = c};
  epoll_ctl(poll_fd, how, c->fd, &event);
}

static void hang_up(struct connection *c) {
  if (c->open) close(c->fd);
  c->open = false;
}

static void begin(struct connection *c, int64_t due);

static void done(struct connection *c) {
  c->busy = false;
  c->turn++;
  busy_count--;
  if (options.mode == 's') {
    hang_up(c);
  } else if (options.mode == 'c') {
    if (now_ns() < ends) begin(c, now_ns());
  } else if (overdue_first < overdue_count) {
    begin(c, overdue[overdue_first++]);
  } else {
    idle[idle_count++] = (int)(c - connections);
  }
}

static void failed(struct connection *c, int reason) {
  bad[reason]++;
  hang_up(c);
  if (options.mode != 'c') {
    done(c);
    return;
  }
  c->busy = false; /* a system that refuses is not asked again at once */
  c->turn++;
  busy_count--;
  agenda_add(&agenda, (struct due){now_ns() + PAUSE, (int)(c - connections), c->turn});
}

static void send_more(struct connection *c) {
  while (c->sent < request_size) {
    ssize_t got = send(c->fd, request + c->sent, request_size - c->sent, MSG_NOSIGNAL);
    if (got < 0 && (errno == EAGAIN || errno == ENOTCONN)) return;
    if (got < 0) {
      failed(c, c->sent ? CLOSED : CONNECT);
      return;
    }
    c->sent += (size_t)got;
  }
  watch(c, EPOLL_CTL_MOD, false);
}

static bool dial(struct connection *c) {
  struct sockaddr_in address = loopback(options.port);
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (c->fd < 0) die("socket");
  c->open = true;
  no_delay(c->fd);
  if (connect(c->fd, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS) return false;
  watch(c, EPOLL_CTL_ADD, true);
  return true;
}

static void begin(struct connection *c, int64_t due) {
  c->busy = true;
  c->due = due;
  c->first = 0;
  c->sent = c->stamp_size = 0;
  c->events = 0;
  c->disordered = false;
  busy_count++;
  message_begin(&c->answer, true);
  if (!c->open) {
    if (!dial(c)) failed(c, CONNECT);
    return; /* the rest when it is connected */
  }
  ssize_t got = send(c->fd, request, request_size, MSG_NOSIGNAL);
  if (got < 0 && errno != EAGAIN) {
    failed(c, CLOSED);
    return;
  }
  c->sent = got < 0 ? 0 : (size_t)got;
  if (c->sent < request_size) watch(c, EPOLL_CTL_MOD, true);
}

/* Events of a stream: @nanoseconds.number@ in the text, wherever reads and chunks cut it. */
static void read_stamps(void *who, const char *data, size_t size) {
  struct connection *c = who;
  int64_t now = now_ns();
  for (size_t i = 0; i < size; i++) {
    if (data[i] != '@') {
      if (c->stamp_size && (c->stamp_size >= sizeof c->stamp - 1 || !strchr("0123456789.", data[i]))) c->stamp_size = 0;
      if (c->stamp_size) c->stamp[c->stamp_size++] = data[i];
      continue;
    }
    long long sent;
    int number;
    c->stamp[c->stamp_size] = 0;
    if (c->stamp_size && sscanf(c->stamp, "@%lld.%d", &sent, &number) == 2) {
      c->disordered |= number != c->events;
      c->events++;
      note(&lateness, now - sent);
      c->stamp_size = 0;
    } else {
      c->stamp[0] = '@';
      c->stamp_size = 1;
    }
  }
}

static void finish(struct connection *c) {
  int64_t now = now_ns();
  bool fits = options.mode == 's' ? c->events == options.events && !c->disordered
                                  : c->answer.body >= options.answer;
  if (c->answer.last) hang_up(c);
  answer_bytes += c->answer.body;
  if (c->answer.status != 200 || !fits || c->sent < request_size) {
    if (c->answer.status != 200) bad_status = c->answer.status;
    failed(c, c->answer.status != 200 ? STATUS : LENGTH);
    return;
  }
  good++;
  in_time += now <= ends;
  if (c->due >= counted_from) {
    note(&latency, now - c->due);
    if (options.mode == 's') note(&first_byte, c->first - c->due);
  }
  done(c);
}

static void read_more(struct connection *c) {
  ssize_t got = recv(c->fd, buffer, sizeof buffer, 0);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0 || !c->busy) {
    if (c->busy)
      failed(c, c->sent ? CLOSED : CONNECT);
    else
      hang_up(c); /* an idle connection may be closed: the next call dials anew */
    return;
  }
  size_t used = message_feed(&c->answer, buffer, (size_t)got, options.mode == 's' ? read_stamps : NULL, c);
  if (!c->first && c->answer.body) c->first = now_ns();
  if (c->answer.state == BROKEN || used < (size_t)got)
    failed(c, FRAMING);
  else if (c->answer.state == WHOLE)
    finish(c);
}

/* A call is due: on the connection that was idle last, on a new one, or on the next that is free. */
static void call_due(int64_t due) {
  if (idle_count) {
    begin(&connections[idle[--idle_count]], due);
  } else if (connection_count < options.conns) {
    begin(&connections[connection_count++], due);
  } else {
    if (overdue_count == overdue_room) {
      overdue_room = overdue_room ? overdue_room * 2 : 4096;
      overdue = realloc(overdue, overdue_room * sizeof *overdue);
      if (!overdue) die("overdue");
    }
    overdue[overdue_count++] = due;
  }
}

static double between(void) { return options.even ? 1 / options.rate : -log(1 - drand48()) / options.rate; }

static int64_t run_due(int64_t next_call) {
  for (int64_t now = now_ns(); next_call <= now && next_call < ends; now = now_ns()) {
    call_due(next_call);
    next_call += (int64_t)(between() * 1e9);
  }
  while (agenda_first(&agenda) <= now_ns()) {
    struct due due = agenda_take(&agenda);
    struct connection *c = &connections[due.fd];
    if (c->turn == due.turn && !c->busy && (options.mode == 's' || now_ns() < ends)) begin(c, due.at);
  }
  return next_call < ends ? next_call : INT64_MAX;
}

static void run(void) {
  struct epoll_event events[256];
  int64_t start = now_ns(), next_call = options.mode == 'o' ? start : INT64_MAX;
  double length = options.mode == 's' ? options.over_ms / 1e3 : options.seconds + options.warm_ms / 1e3;
  counted_from = start + options.warm_ms * 1000000LL;
  ends = start + (int64_t)(length * 1e9);
  for (int i = 0; options.mode == 'c' && i < options.conns; i++) begin(&connections[i], start);
  for (int i = 0; options.mode == 's' && i < options.streams; i++)
    agenda_add(&agenda, (struct due){start + i * (ends - start) / options.streams, i, 0});
  for (;;) {
    next_call = run_due(next_call);
    int64_t now = now_ns(), next = next_call < agenda_first(&agenda) ? next_call : agenda_first(&agenda);
    bool all_begun = next_call == INT64_MAX && (options.mode != 's' || !agenda.count);
    if (now > ends + GRACE || (now >= ends && all_begun && busy_count == 0)) break;
    int64_t mark = now < ends ? ends : ends + GRACE;
    int found = wait_until(poll_fd, events, 256, next < mark ? next : mark);
    for (int i = 0; i < found; i++) {
      struct connection *c = events[i].data.ptr;
      if (events[i].events & EPOLLOUT && c->open && c->busy) send_more(c);
      if (events[i].events & ~EPOLLOUT && c->open) read_more(c);
    }
  }
  bad[UNFINISHED] += busy_count + (long)(overdue_count - overdue_first) + (options.mode == 's' ? (long)agenda.count : 0);
}

int main(int count, char **words) {
  if (count < 2 || !strchr("cos", options.mode = words[1][0])) {
    fprintf(stderr, "load: say closed, open or streams\n");
    return 2;
  }
  for (int i = 2; i < count; i++) read_option(words[i]);
  prepare_process();
  srand48(options.seed);
  make_request();
  poll_fd = epoll_create1(0);
  int most = options.mode == 's' ? options.streams : options.conns;
  connections = calloc((size_t)most, sizeof *connections);
  idle = calloc((size_t)most, sizeof *idle);
  run();
  if (options.mode == 's') in_time = good;
  double seconds = options.mode == 's' ? options.over_ms / 1e3 : options.seconds + options.warm_ms / 1e3;
  long all_bad = 0;
  printf("{\"good\":%ld,\"rate\":%.2f,\"sent_bytes\":%lld,\"answer_bytes\":%lld,\"why\":{", good, (double)in_time / seconds,
         (long long)good * (long long)request_size, (long long)answer_bytes);
  for (int i = 0; i < REASONS; all_bad += bad[i++]) printf("%s\"%s\":%ld", i ? "," : "", NAMES[i], bad[i]);
  printf("},\"bad\":%ld,\"bad_status\":%d", all_bad, bad_status);
  print_series("latency_ms", &latency);
  print_series("first_ms", &first_byte);
  print_series("late_ms", &lateness);
  printf("}\n");
  return 0;
}
