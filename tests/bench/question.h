// Questions put to a store, as a client's call puts them, and the size of their answers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/graph_store.h"
#include "storage/graph_types.h"
#include "storage/rocks/database.h"
#include "tests/bench/measure.h"

namespace relations::bench {

struct Question {
  int limit = 50;
  int levels = 3;
};

// "50x3": limit 50, levels 3. INVALID_ARGUMENT when the text is not of this form or a number is out
// of the contract's range.
absl::StatusOr<Question> ParseQuestion(absl::string_view text);
std::string ToText(const Question& question);

// Of one answer, or summed over many.
struct AnswerSize {
  uint64_t nodes = 0;
  uint64_t relations = 0;
  // Of the entities' wire form.
  uint64_t bytes = 0;

  AnswerSize& operator+=(const AnswerSize& other);
};

// Answers a question; nothing when the caller may not see the entity. When `timing` is not null the
// answer's time is added to it.
absl::StatusOr<std::optional<AnswerSize>> Ask(GraphStore& graph, const std::string& id,
                                              const Question& question, const GroupSet& groups,
                                              Timing* timing);

// Reads lines "sample TAB id" (as `generate --ids` writes them): ids by sample.
absl::StatusOr<std::map<std::string, std::vector<std::string>>> ReadIds(const std::string& path);

// Hot point reads of RocksDB, the yardstick of answers: 100 Gets of entities.
class PointReads {
 public:
  static constexpr size_t kReads = 100;

  // Reads the records of `ids` once, so that they are in the block cache. Neither is owned.
  static absl::StatusOr<PointReads> Create(RocksDatabase* database, GraphStore* graph,
                                           const std::vector<std::string>& ids);

  // Reads the next kReads of them and adds the time of all to `timing`.
  absl::Status Run(Timing* timing);

 private:
  PointReads(RocksDatabase* database, std::vector<std::string> keys)
      : database_(database), keys_(std::move(keys)) {}

  RocksDatabase* database_;
  std::vector<std::string> keys_;
  size_t next_ = 0;
};

}  // namespace relations::bench
