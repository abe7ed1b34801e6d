// The history of one store that is served by a relations-server which is killed again and again,
// and what must be there of it. The obviously right model of it is a list of requests.
//
// Request N reports the domain rN.example, with N in its attribute `n`, and some addresses that it
// is related to. It is there whole: the domain, its attribute and all of its relations, or not at
// all.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "relations/v1/ingest.pb.h"
#include "tests/server/rpc_client.h"
#include "tests/support/model_graph.h"
#include "tests/support/process_under_test.h"
#include "tests/support/temp_dir.h"

namespace relations {

// For the random moments at which something is killed; nothing is waited for.
void WaitMicroseconds(uint64_t microseconds);

class ServedHistory {
 public:
  explicit ServedHistory(uint64_t seed);

  // Each starts what it kills, kills it at a random moment, and compares. Catch2's REQUIRE tells
  // what is wrong.
  void KillUnderReports();
  void KillUnderWithdrawals();
  void KillImport();
  // The newest backup that is whole restores to a store that is sound and a beginning of the
  // history.
  void CheckBackup();

  uint64_t acknowledged() const { return acknowledged_total_; }

 private:
  enum class Fate {
    kThere,
    // The server was asked to and died before it answered.
    kPerhapsDeleted,
    kDeleted,
    kPerhapsNarrowed,
    kNarrowed,
  };
  struct Server;

  std::unique_ptr<Server> Start();
  v1::ReportStreamRequest Request(uint64_t number) const;
  // Sends requests until the server dies, which it does some time after `answers` answers.
  void Report(Server& server, uint64_t answers);
  void Withdraw(Server& server, uint64_t number);
  // Reads the feed from where it was left until it is current, and compares with what is stored.
  void FollowFeed(Server& server);
  void Compare();
  void CompareRequests(const ModelGraph::State& found, uint64_t acknowledged, uint64_t sent);
  uint64_t Draw(uint64_t bound) { return random_() % bound; }

  const uint64_t seed_;
  std::mt19937_64 random_;
  TempDir directory_;
  Headers headers_;
  uint64_t sent_ = 0;
  uint64_t acknowledged_ = 0;
  uint64_t acknowledged_total_ = 0;
  // Of requests that are not simply there.
  std::map<uint64_t, Fate> fates_;
  // Imports by number: whether it is known to be done.
  std::map<uint64_t, bool> imports_;
  // What the feed told so far, by id and by "source target".
  std::string token_;
  std::set<std::string> fed_entities_;
  std::set<std::pair<std::string, std::string>> fed_relations_;
  // What was stored when it was last looked at.
  ModelGraph::State stored_;
};

}  // namespace relations
