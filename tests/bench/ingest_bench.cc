// ingest_bench: how many new relations a second a stream gets acknowledged, durable, and what that
// does to those who read meanwhile. Server and clients are in this one process, over a unix socket;
// the store is on the disk of the temporary directory.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "relations/v1/ingest.pb.h"
#include "relations/v1/relations.pb.h"
#include "storage/base/log.h"
#include "storage/credential_store.h"
#include "storage/entity_id.h"
#include "tests/bench/measure.h"
#include "tests/server/report_client.h"
#include "tests/server/test_server.h"

namespace relations::bench {
namespace {

struct IngestSettings {
  size_t entities = 50000;
  // Reports in one request of the stream.
  int per_request = 1;
  double seconds = 10;
};

constexpr int kEntitiesPerRequest = 500;

std::string Domain(size_t number) { return absl::StrCat("host", number, ".example"); }
std::string DomainId(size_t number) { return MakeEntityId("domain", Domain(number)); }

bool Fill(TestServer& server, const Headers& headers, size_t entities) {
  ReportClient client(server.address(), headers);
  std::thread reader([&client] {
    while (client.Read().has_value()) {
    }
  });
  uint64_t sequence = 0;
  for (size_t next = 0; next < entities;) {
    v1::ReportStreamRequest request;
    request.set_sequence(++sequence);
    for (int i = 0; i < kEntitiesPerRequest && next < entities; ++i, ++next) {
      v1::EntityReport& entity = *request.add_reports()->mutable_entity();
      entity.set_type("domain");
      (*entity.mutable_attributes())["domain"].set_string_value(Domain(next));
    }
    if (!client.Send(request)) break;
  }
  client.WritesDone();
  reader.join();
  return client.Finish() == "OK";
}

// Reads one entity after another until `stop`.
Samples ReadUntil(TestServer& server, const Headers& headers, const std::vector<std::string>& ids,
                  const std::function<bool()>& stop) {
  RpcClient client(server.address());
  std::mt19937_64 random(1);
  Samples samples;
  while (!stop()) {
    v1::GetRelationsRequest request;
    request.set_id(ids[random() % ids.size()]);
    const int64_t begin = WallNanos();
    if (client.Call(kGetRelations, request, headers).code != "OK") std::abort();
    samples.Add(WallNanos() - begin);
  }
  return samples;
}

struct Taken {
  uint64_t relations = 0;
  uint64_t refused = 0;
  double seconds = 0;
  double cpu_seconds = 0;
};

// Offers new relations for some seconds and waits until all are acknowledged.
Taken Report(TestServer& server, const Headers& headers, const IngestSettings& settings,
             const std::vector<std::string>& ids, uint64_t seed) {
  ReportClient client(server.address(), headers);
  Taken taken;
  const int64_t begin = WallNanos();
  const int64_t cpu = ProcessCpuNanos();
  std::thread reader([&] {
    uint64_t acknowledged = 0;
    while (const auto answer = client.Read()) {
      acknowledged = answer->acknowledged();
      taken.refused += static_cast<uint64_t>(answer->refusals_size());
    }
    taken.relations = (acknowledged - taken.refused) * static_cast<uint64_t>(settings.per_request);
  });
  std::mt19937_64 random(seed);
  uint64_t sequence = 0;
  const auto elapsed = [begin] { return static_cast<double>(WallNanos() - begin) * 1e-9; };
  while (elapsed() < settings.seconds) {
    v1::ReportStreamRequest request;
    request.set_sequence(++sequence);
    for (int i = 0; i < settings.per_request; ++i) {
      v1::AssociationReport& report = *request.add_reports()->mutable_association();
      const size_t source = random() % ids.size();
      report.set_entity_id(ids[source]);
      report.set_related_entity_id(ids[(source + 1 + random() % (ids.size() - 1)) % ids.size()]);
    }
    if (!client.Send(request)) break;
  }
  client.WritesDone();
  reader.join();
  taken.seconds = elapsed();
  taken.cpu_seconds = static_cast<double>(ProcessCpuNanos() - cpu) * 1e-9;
  if (client.Finish() != "OK") std::abort();
  return taken;
}

void Print(const char* what, const Taken& taken) {
  std::printf("%-24s %9.0f relations/s  %6.1f us CPU each (server and client)  refused %llu\n",
              what, static_cast<double>(taken.relations) / taken.seconds,
              taken.cpu_seconds * 1e6 / static_cast<double>(taken.relations),
              static_cast<unsigned long long>(taken.refused));
}

int Run(const IngestSettings& settings) {
  if (!SetUpLog("ingest_bench", "error").ok()) return 1;
  std::printf("%s\n", MachineLine().c_str());
  TestServer server;
  const Headers headers = server.Session({"public"}, {"reporter", "user"});
  if (!Fill(server, headers, settings.entities)) return 1;
  std::vector<std::string> ids;
  for (size_t i = 0; i < settings.entities; ++i) ids.push_back(DomainId(i));

  Print("ingest alone", Report(server, headers, settings, ids, 1));
  const int64_t begin = WallNanos();
  Samples before = ReadUntil(server, headers, ids, [&] {
    return static_cast<double>(WallNanos() - begin) * 1e-9 > settings.seconds;
  });
  std::atomic<bool> stop = false;
  Samples during;
  std::thread reading(
      [&] { during = ReadUntil(server, headers, ids, [&stop] { return stop.load(); }); });
  Print("ingest, with a reader", Report(server, headers, settings, ids, 2));
  stop = true;
  reading.join();
  std::printf("reads, idle              p50 %7.0f us  p99 %7.0f us  %zu\n", before.Micros(0.5),
              before.Micros(0.99), before.size());
  std::printf("reads, full ingest       p50 %7.0f us  p99 %7.0f us  %zu  p99 ratio %.2f\n",
              during.Micros(0.5), during.Micros(0.99), during.size(),
              during.Micros(0.99) / before.Micros(0.99));
  return 0;
}

}  // namespace
}  // namespace relations::bench

int main(int argc, char** argv) {
  CLI::App app("Measures a stream of reports, alone and beside a reader.", "ingest_bench");
  relations::bench::IngestSettings settings;
  app.add_option("--entities", settings.entities, "Entities to relate")
      ->check(CLI::Range(2, 100000000))
      ->capture_default_str();
  app.add_option("--per-request", settings.per_request, "Relations in one request of the stream")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--seconds", settings.seconds, "Of each part")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  return relations::bench::Run(settings);
}
