/* What load is told to do, and the request that it makes of it. */
#ifndef BENCH_ASK_H
#define BENCH_ASK_H

#include "http.h"

struct options {
  char mode;
  int port, conns, streams, events, over_ms, warm_ms;
  double seconds, rate;
  long body, answer, seed;
  bool even;
  const char *path;
  char headers[4096];
};
static struct options options = {.conns = 64, .seconds = 3, .rate = 200, .body = 1024, .answer = 1, .seed = 1,
                                 .streams = 1000, .events = 50, .over_ms = 1000, .path = "/v1/chat/completions"};
static char *request;
static size_t request_size;

static void make_request(void) {
  static const char OPENING[] = "\"model\":\"fake\",\"messages\":[{\"role\":\"user\",\"content\":\"", CLOSING[] = "\"}]}";
  const char *stream = options.mode == 's' ? "{\"stream\":true," : "{";
  size_t around = strlen(stream) + strlen(OPENING) + strlen(CLOSING);
  size_t filling = (size_t)options.body > around ? (size_t)options.body - around : 0;
  request = malloc(around + filling + sizeof options.headers + 1024);
  char *at = request;
  at += sprintf(at,
                "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUser-Agent: load\r\nAccept: */*\r\n"
                "Content-Type: application/json\r\nContent-Length: %zu\r\n%s\r\n%s%s",
                options.path, options.port, around + filling, options.headers, stream, OPENING);
  for (size_t i = 0; i < filling; i++) *at++ = "words "[i % 6];
  at += sprintf(at, "%s", CLOSING);
  request_size = (size_t)(at - request);
}

static void read_option(const char *word) {
  static const struct { const char *name; int *value; } WHOLE_NUMBERS[] = {
      {"port", &options.port}, {"conns", &options.conns}, {"streams", &options.streams}, {"events", &options.events},
      {"over_ms", &options.over_ms}, {"warm_ms", &options.warm_ms}};
  const char *value = strchr(word, '=');
  size_t size = value ? (size_t)(value++ - word) : 0;
  for (size_t i = 0; size && i < sizeof WHOLE_NUMBERS / sizeof *WHOLE_NUMBERS; i++)
    if (strlen(WHOLE_NUMBERS[i].name) == size && !strncmp(word, WHOLE_NUMBERS[i].name, size)) {
      *WHOLE_NUMBERS[i].value = atoi(value);
      return;
    }
  if (!strncmp(word, "seconds=", 8)) options.seconds = atof(value);
  else if (!strncmp(word, "rate=", 5)) options.rate = atof(value);
  else if (!strncmp(word, "body=", 5)) options.body = atol(value);
  else if (!strncmp(word, "answer=", 7)) options.answer = atol(value);
  else if (!strncmp(word, "seed=", 5)) options.seed = atol(value);
  else if (!strncmp(word, "even=", 5)) options.even = *value == '1';
  else if (!strncmp(word, "path=", 5)) options.path = value;
  else if (!strncmp(word, "header=", 7) && strlen(options.headers) + strlen(value) + 3 < sizeof options.headers)
    strcat(strcat(options.headers, value), "\r\n");
  else {
    fprintf(stderr, "load: unknown word %s\n", word);
    exit(2);
  }
}

#endif
