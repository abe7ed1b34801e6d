#include "tests/crash/judged_store.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "storage/base/status_macros.h"
#include "storage/rocks/integrity.h"
#include "storage/rocks/rocks_status.h"
#include "tests/support/reference_import.h"
#include "tests/support/reference_walk.h"

namespace relations {

bool IsRefusal(const absl::Status& status) {
  return status.code() == absl::StatusCode::kInvalidArgument ||
         status.code() == absl::StatusCode::kNotFound ||
         status.code() == absl::StatusCode::kFailedPrecondition;
}

std::vector<rocksdb::ColumnFamilyHandle*> AllFamilies(const RocksDatabase& database) {
  std::vector<rocksdb::ColumnFamilyHandle*> families;
  for (size_t i = 0; i < kFamilies; ++i) {
    families.push_back(database.family(static_cast<Family>(i)));
  }
  return families;
}

JudgedStore::JudgedStore(std::string directory, rocksdb::Env* env, uint64_t node_cache_bytes)
    : directory_(std::move(directory)), env_(env), node_cache_bytes_(node_cache_bytes) {}

absl::Status JudgedStore::Open() {
  const OpenMode mode = was_open_ ? OpenMode::kExisting : OpenMode::kCreateIfMissing;
  ASSIGN_OR_RETURN(database_,
                   RocksDatabase::Open({.directory = directory_,
                                        .mode = mode,
                                        .cache_bytes = 8 << 20,
                                        .env = env_,
                                        .resume_interval = std::chrono::milliseconds(0)}));
  was_open_ = true;
  ASSIGN_OR_RETURN(graph_, RocksGraphStore::Open(database_.get(), {node_cache_bytes_}));
  return absl::OkStatus();
}

void JudgedStore::Drop() {
  graph_.reset();
  database_.reset();
}

absl::Status JudgedStore::Apply(const Mutations& request) {
  const absl::Status status = graph_->Apply(request);
  if (!status.ok()) {
    // Later ones do not get as far as the disk.
    if (!IsRefusal(status) && !in_doubt_.has_value()) in_doubt_ = request;
    return status;
  }
  // What failed before is superseded: the log that may hold it is given up.
  in_doubt_.reset();
  const absl::Status expected = model_.Apply(request);
  if (expected.ok()) return status;
  return absl::InternalError(
      absl::StrCat("the store took what must be refused: ", expected.ToString()));
}

std::string JudgedStore::Compare() {
  const absl::StatusOr<IntegrityReport> report = CheckIntegrity(*database_);
  if (!report.ok()) return absl::StrCat("check fails: ", report.status().ToString());
  if (!report->clean()) {
    return absl::StrCat("check finds: ", absl::StrJoin(report->findings, "\n"));
  }
  const ModelGraph::State found = StateOf(*database_);
  const std::string difference = Difference(model_.state(), found);
  if (difference.empty()) {
    in_doubt_.reset();
    return "";
  }
  if (!in_doubt_.has_value()) return absl::StrCat("not what was acknowledged: ", difference);
  const absl::Status late = model_.Apply(*in_doubt_);
  in_doubt_.reset();
  if (!late.ok()) return absl::StrCat("something else, with a refused request: ", difference);
  const std::string other = Difference(model_.state(), found);
  return other.empty() ? "" : absl::StrCat("neither without ", difference, "\nnor with ", other);
}

std::string JudgedStore::CompareWalks(SeededWorkload& random, int walks) {
  const ModelGraph::State state = model_.state();
  for (int i = 0; i < walks; ++i) {
    ReferenceQuestion question;
    question.root = random.AnyId();
    question.limit = 1 + 10 * i;
    question.levels = 1 + i % 5;
    question.groups = random.AnyGroups();
    const std::string expected = ToText(ReferenceWalk(state, question));
    const std::string found = ExpandToText(*graph_, question);
    if (found != expected) {
      return absl::StrCat("around ", question.root, " expected\n", expected, "\nfound\n", found);
    }
  }
  return "";
}

absl::Status JudgedStore::Flush() {
  return FromRocks(database_->db().Flush(rocksdb::FlushOptions(), AllFamilies(*database_)),
                   "flushing");
}

absl::Status JudgedStore::Compact() {
  for (rocksdb::ColumnFamilyHandle* const family : AllFamilies(*database_)) {
    RETURN_IF_ERROR(FromRocks(
        database_->db().CompactRange(rocksdb::CompactRangeOptions(), family, nullptr, nullptr),
        "compacting"));
  }
  return absl::OkStatus();
}

}  // namespace relations
