/* Measured times, and the line of percentiles that is printed of them. */
#ifndef BENCH_SERIES_H
#define BENCH_SERIES_H

#include "http.h"

struct series {
  double *all;
  size_t count, room;
};

static void note(struct series *series, int64_t ns) {
  if (series->count == series->room) {
    series->room = series->room ? series->room * 2 : 4096;
    series->all = realloc(series->all, series->room * sizeof(double));
    if (!series->all) die("series");
  }
  series->all[series->count++] = (double)ns / 1e6;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void print_series(const char *name, struct series *series) {
  static const struct { const char *name; double share; } MARKS[] = {
      {"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}, {"max", 1}};
  qsort(series->all, series->count, sizeof(double), ascending);
  printf(",\"%s\":{\"n\":%zu", name, series->count);
  for (size_t i = 0; series->count && i < sizeof MARKS / sizeof *MARKS; i++) {
    size_t at = (size_t)(MARKS[i].share * (double)series->count);
    printf(",\"%s\":%.4f", MARKS[i].name, series->all[at < series->count ? at : series->count - 1]);
  }
  printf("}");
}

#endif
