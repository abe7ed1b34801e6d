// What every benchmark needs: clocks, medians, the machine's name, its own memory.
//
// The machine that measures is often shared, so two clocks are read: the wall, and the CPU time of
// the calling thread, which other processes' load moves far less.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace relations::bench {

// Nanoseconds since some moment: of the wall, of this thread's CPU time, of this process's.
int64_t WallNanos();
int64_t ThreadCpuNanos();
int64_t ProcessCpuNanos();

// Times of one kind of operation, in nanoseconds.
class Samples {
 public:
  void Add(int64_t nanos) {
    nanos_.push_back(nanos);
    sorted_ = false;
  }
  size_t size() const { return nanos_.size(); }
  // The value below which `share` (0 to 1) of the samples lie, in microseconds; 0 without samples.
  double Micros(double share);
  double MedianMicros() { return Micros(0.5); }
  double MeanMicros() const;

 private:
  std::vector<int64_t> nanos_;
  bool sorted_ = false;
};

// The wall and CPU times of one kind of operation.
struct Timing {
  Samples wall;
  Samples cpu;
};

// Measures from its construction to its end.
class Stopwatch {
 public:
  explicit Stopwatch(Timing* timing)
      : timing_(timing), wall_(WallNanos()), cpu_(ThreadCpuNanos()) {}
  ~Stopwatch() {
    // The CPU's clock first, as it was read last.
    timing_->cpu.Add(ThreadCpuNanos() - cpu_);
    timing_->wall.Add(WallNanos() - wall_);
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  Timing* const timing_;
  const int64_t wall_;
  const int64_t cpu_;
};

// "AMD EPYC, 2 cores, load 1.93": the model of the CPU, its cores, and the load of the last minute,
// without which no figure can be judged.
std::string MachineLine();

// Bytes of this process in memory now.
uint64_t ResidentBytes();

}  // namespace relations::bench
