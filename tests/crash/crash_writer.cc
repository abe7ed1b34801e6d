// The process that kill_test kills: opens the store in a directory and writes the history of a seed
// through the queue of writes, telling on standard output what was acknowledged:
//
//   crash_writer DIR SEED SKIP
//
//   "open"     the store is open
//   "ok N"     request N of the history is durable
//   "no N"     it was refused
//   "flushed"  a flush has ended
//
// The first SKIP requests of the history are passed over: a process before has written them. Writes
// until it is killed.
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <string>
#include <thread>

#include "storage/rocks/database.h"
#include "storage/rocks/rocks_graph_store.h"
#include "storage/write_queue.h"
#include "tests/crash/judged_store.h"
#include "tests/support/seeded_workload.h"

namespace relations {
namespace {

// One line in one write: a line is whole or not there.
void Tell(const std::string& line) {
  if (std::fwrite((line + "\n").data(), 1, line.size() + 1, stdout) != line.size() + 1) {
    std::abort();
  }
  std::fflush(stdout);
}

int Run(const std::string& directory, uint64_t seed, uint64_t skip) {
  const auto database = RocksDatabase::Open({directory, OpenMode::kCreateIfMissing, 8 << 20});
  if (!database.ok()) {
    std::cerr << database.status() << std::endl;
    return 1;
  }
  const auto store = RocksGraphStore::Open(database->get(), {1 << 20});
  if (!store.ok()) {
    std::cerr << store.status() << std::endl;
    return 1;
  }
  WriteQueue queue(store->get());
  Tell("open");
  // Files change under the writes.
  std::jthread flusher([&](const std::stop_token& stop) {
    for (uint64_t round = 0; !stop.stop_requested(); ++round) {
      (*database)->db().Flush(rocksdb::FlushOptions(), AllFamilies(**database));
      if (round % 3 == 2) {
        for (rocksdb::ColumnFamilyHandle* const family : AllFamilies(**database)) {
          (*database)->db().CompactRange(rocksdb::CompactRangeOptions(), family, nullptr, nullptr);
        }
      }
      Tell("flushed");
    }
  });
  SeededWorkload workload(seed);
  for (uint64_t i = 0; i < skip; ++i) workload.Next();
  // The requests wait together in the queue, so that groups of several are written.
  for (uint64_t number = skip;; ++number) {
    Mutations request = workload.Next();
    WriteQueue::Done done = [number](const absl::Status& status) {
      if (!status.ok() && !IsRefusal(status)) {
        std::cerr << status << std::endl;
        std::_Exit(1);
      }
      Tell((status.ok() ? "ok " : "no ") + std::to_string(number));
    };
    while (!queue.TrySubmit(request, 4096, done)) std::this_thread::yield();
  }
}

}  // namespace
}  // namespace relations

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: crash_writer DIR SEED SKIP\n";
    return 2;
  }
  return relations::Run(argv[1], std::strtoull(argv[2], nullptr, 10),
                        std::strtoull(argv[3], nullptr, 10));
}
