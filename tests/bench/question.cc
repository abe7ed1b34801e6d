#include "tests/bench/question.h"

#include <fstream>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "rocksdb/db.h"
#include "storage/base/limits.h"
#include "storage/base/status_macros.h"
#include "storage/rocks/key_format.h"
#include "storage/rocks/rocks_status.h"
#include "storage/traversal.h"

namespace relations::bench {

absl::StatusOr<Question> ParseQuestion(absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, 'x');
  Question question;
  if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &question.limit) ||
      !absl::SimpleAtoi(parts[1], &question.levels) || question.limit < 1 ||
      question.limit > limits::kRelatedEntitiesMax || question.levels < 1 ||
      question.levels > limits::kLevelsMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("not a question (LIMITxLEVELS, as 50x3): ", text));
  }
  return question;
}

std::string ToText(const Question& question) {
  return absl::StrCat(question.limit, "x", question.levels);
}

AnswerSize& AnswerSize::operator+=(const AnswerSize& other) {
  nodes += other.nodes;
  relations += other.relations;
  bytes += other.bytes;
  return *this;
}

absl::StatusOr<std::optional<AnswerSize>> Ask(GraphStore& graph, const std::string& id,
                                              const Question& question, const GroupSet& groups,
                                              Timing* timing) {
  ExpandParams params;
  params.root_id = id;
  params.limit = question.limit;
  params.levels = question.levels;
  params.groups = groups;
  Timing unused;
  absl::StatusOr<ExpandedGraph> answer = absl::UnknownError("not asked");
  {
    const Stopwatch stopwatch(timing != nullptr ? timing : &unused);
    answer = Expand(graph, params);
  }
  if (absl::IsNotFound(answer.status())) return std::nullopt;
  RETURN_IF_ERROR(answer.status());
  AnswerSize size{answer->nodes.size(), answer->relations.size(), 0};
  for (const ExpandedEntity& entity : answer->nodes) size.bytes += entity.wire_bytes();
  return size;
}

absl::StatusOr<std::map<std::string, std::vector<std::string>>> ReadIds(const std::string& path) {
  std::ifstream file(path);
  if (!file) return absl::NotFoundError(absl::StrCat("cannot read ", path));
  std::map<std::string, std::vector<std::string>> samples;
  for (std::string line; std::getline(file, line);) {
    const std::vector<std::string> parts = absl::StrSplit(line, '\t');
    if (parts.size() != 2) {
      return absl::InvalidArgumentError(absl::StrCat(path, ": not \"sample TAB id\": ", line));
    }
    samples[parts[0]].push_back(parts[1]);
  }
  return samples;
}

absl::StatusOr<PointReads> PointReads::Create(RocksDatabase* database, GraphStore* graph,
                                              const std::vector<std::string>& ids) {
  ASSIGN_OR_RETURN(const std::unique_ptr<GraphView> view, graph->View());
  std::vector<std::string> keys;
  for (const std::string& id : ids) {
    ASSIGN_OR_RETURN(const std::optional<NodeId> node, view->Resolve(id));
    if (node.has_value()) keys.push_back(NodeKey(*node));
  }
  if (keys.empty()) return absl::FailedPreconditionError("the store has none of the ids");
  PointReads reads(database, std::move(keys));
  Timing unused;
  for (size_t read = 0; read < reads.keys_.size(); read += kReads) {
    RETURN_IF_ERROR(reads.Run(&unused));
  }
  return reads;
}

absl::Status PointReads::Run(Timing* timing) {
  const Stopwatch stopwatch(timing);
  for (size_t i = 0; i < kReads; ++i) {
    rocksdb::PinnableSlice value;
    RETURN_IF_ERROR(
        FromRocks(database_->db().Get(rocksdb::ReadOptions(), database_->family(Family::kEntities),
                                      keys_[next_], &value),
                  "reading an entity"));
    next_ = (next_ + 1) % keys_.size();
  }
  return absl::OkStatus();
}

}  // namespace relations::bench
