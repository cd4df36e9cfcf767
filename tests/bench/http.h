/* What the fake model and the load generator share: the clock, due instants in order, and the framing of HTTP/1.1. */
#ifndef BENCH_HTTP_H
#define BENCH_HTTP_H

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST_FDS = 1 << 16, READ_SIZE = 256 << 10, HEAD_SIZE = 16 << 10 };
#define SECOND 1000000000LL

static void die(const char *what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(2);
}

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * SECOND + t.tv_nsec;
}

/* Many sockets, no signal for a broken one, and timers without the kernel's 50 us of slack. */
static void prepare_process(void) {
  struct rlimit files = {MOST_FDS, MOST_FDS};
  if (setrlimit(RLIMIT_NOFILE, &files) != 0) {
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  signal(SIGPIPE, SIG_IGN);
  prctl(PR_SET_TIMERSLACK, 1);
}

static struct sockaddr_in loopback(int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

static void no_delay(int fd) {
  int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

/* epoll_wait until something happens or `due` (INT64_MAX: for ever) has come. */
static int wait_until(int poll, struct epoll_event *events, int most, int64_t due) {
  int64_t rest = due == INT64_MAX ? 0 : due - now_ns();
  struct timespec limit = {rest > 0 ? rest / SECOND : 0, rest > 0 ? rest % SECOND : 0};
  int found = epoll_pwait2(poll, events, most, due == INT64_MAX ? NULL : &limit, NULL);
  if (found < 0 && errno != EINTR) die("epoll_pwait2");
  return found < 0 ? 0 : found;
}

/* Due instants, earliest first. `turn` tells a later user of the same descriptor from the one that was meant. */
struct due {
  int64_t at;
  int fd;
  unsigned turn;
};
struct agenda {
  struct due *all;
  size_t count, room;
};

static void swap_due(struct due *a, struct due *b) {
  struct due kept = *a;
  *a = *b;
  *b = kept;
}

static void agenda_add(struct agenda *agenda, struct due due) {
  if (agenda->count == agenda->room) {
    agenda->room = agenda->room ? agenda->room * 2 : 256;
    agenda->all = realloc(agenda->all, agenda->room * sizeof due);
    if (!agenda->all) die("agenda");
  }
  size_t at = agenda->count++;
  agenda->all[at] = due;
  for (; at && agenda->all[at].at < agenda->all[(at - 1) / 2].at; at = (at - 1) / 2)
    swap_due(&agenda->all[at], &agenda->all[(at - 1) / 2]);
}

static int64_t agenda_first(const struct agenda *agenda) { return agenda->count ? agenda->all[0].at : INT64_MAX; }

static struct due agenda_take(struct agenda *agenda) {
  struct due first = agenda->all[0];
  agenda->all[0] = agenda->all[--agenda->count];
  for (size_t at = 0, child; (child = 2 * at + 1) < agenda->count; at = child) {
    if (child + 1 < agenda->count && agenda->all[child + 1].at < agenda->all[child].at) child++;
    if (agenda->all[at].at <= agenda->all[child].at) break;
    swap_due(&agenda->all[at], &agenda->all[child]);
  }
  return first;
}

/* One message being read. It is fed with whatever came, and says when it is whole. */
enum reading { HEAD, SIZED, CHUNK_LINE, CHUNK, CHUNK_END, TRAILER, WHOLE, BROKEN };
struct message {
  enum reading state;
  bool is_answer, last; /* `last`: the sender closes after it */
  int status;
  int64_t left, body; /* bytes to come of this part, bytes of body so far */
  size_t length;      /* of the head, or of the line in hand */
  char head[HEAD_SIZE];
};
typedef void body_reader(void *who, const char *data, size_t size);

static void message_begin(struct message *m, bool is_answer) {
  m->state = HEAD;
  m->is_answer = is_answer;
  m->last = false;
  m->status = 0;
  m->left = m->body = 0;
  m->length = 0;
}

/* The value of a header field, NULL when it is absent; `head` is closed by a zero byte. */
static const char *field(const char *head, const char *name) {
  size_t size = strlen(name);
  for (const char *line = strstr(head, "\r\n"); line; line = strstr(line + 2, "\r\n"))
    if (strncasecmp(line + 2, name, size) == 0 && line[2 + size] == ':') return line + 3 + size;
  return NULL;
}

static enum reading after_head(struct message *m) {
  m->head[m->length] = 0;
  const char *length = field(m->head, "content-length"), *coding = field(m->head, "transfer-encoding");
  const char *connection = field(m->head, "connection");
  m->last = connection && strncasecmp(connection + strspn(connection, " "), "close", 5) == 0;
  if (m->is_answer && sscanf(m->head, "HTTP/1.1 %d", &m->status) != 1) return BROKEN;
  m->length = 0;
  if (coding && strncasecmp(coding + strspn(coding, " "), "chunked", 7) == 0) return CHUNK_LINE;
  if (!length) return m->is_answer ? BROKEN : WHOLE; /* an answer that ends with its connection proves nothing */
  m->left = strtoll(length, NULL, 10);
  return m->left ? SIZED : WHOLE;
}

static enum reading after_line(struct message *m) {
  m->head[m->length] = 0;
  bool empty = m->length == 2;
  if (m->state == CHUNK_END) {
    m->length = 0;
    return empty ? CHUNK_LINE : BROKEN;
  }
  m->length = 0;
  if (m->state == TRAILER) return empty ? WHOLE : TRAILER;
  char *end;
  m->left = strtoll(m->head, &end, 16);
  if (end == m->head || m->left < 0) return BROKEN;
  return m->left ? CHUNK : TRAILER;
}

/* Read from `data`; gives how many bytes belonged to this message. Stops when it is whole or broken. */
static size_t message_feed(struct message *m, const char *data, size_t size, body_reader *reader, void *who) {
  size_t used = 0;
  while (used < size && m->state < WHOLE) {
    if (m->state == SIZED || m->state == CHUNK) {
      size_t part = (size_t)m->left < size - used ? (size_t)m->left : size - used;
      if (reader) reader(who, data + used, part);
      m->left -= (int64_t)part;
      m->body += (int64_t)part;
      used += part;
      if (m->left == 0) m->state = m->state == SIZED ? WHOLE : CHUNK_END;
      continue;
    }
    if (m->length + 1 >= HEAD_SIZE) {
      m->state = BROKEN;
      break;
    }
    m->head[m->length++] = data[used++];
    if (m->length < 2 || memcmp(m->head + m->length - 2, "\r\n", 2) != 0) continue;
    if (m->state != HEAD)
      m->state = after_line(m);
    else if (m->length >= 4 && memcmp(m->head + m->length - 4, "\r\n\r\n", 4) == 0)
      m->state = after_head(m);
  }
  return used;
}

#endif
