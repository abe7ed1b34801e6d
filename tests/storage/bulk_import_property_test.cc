// The bulk import against a reference, on random input in random order, with repetitions, over
// several imports into one store, with budgets of memory down to nothing: what is stored, what is
// counted and what is rejected must be the same, and the store sound. The seed is printed by
// RapidCheck when a case fails; RC_PARAMS="seed=..." repeats it.
#include <rapidcheck.h>

#include <algorithm>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "storage/rocks/bulk_import.h"
#include "storage/rocks/database.h"
#include "storage/rocks/integrity.h"
#include "storage/rocks/rocks_graph_store.h"
#include "tests/support/catch.h"
#include "tests/support/graph_literals.h"
#include "tests/support/model_graph.h"
#include "tests/support/reference_import.h"
#include "tests/support/temp_dir.h"

namespace relations {
namespace {

using Statement = std::variant<v1::Entity, ImportedRelation>;

GroupSet RandomGroups() {
  static const std::vector<std::string> kGroups = {"g1", "g2", "g3", "g4", "public"};
  GroupSet groups;
  const int count = *rc::gen::inRange(1, 4);
  for (int i = 0; i < count; ++i) groups.push_back(*rc::gen::elementOf(kGroups));
  return CanonicalGroups(groups);
}

GroupSet MostlyOpenGroups() {
  return *rc::gen::inRange(0, 3) == 0 ? RandomGroups() : GroupSet{"g1", "public"};
}

std::string EntityName(int number) {
  // Ids of both kinds of keys, and types of which one is the beginning of another.
  static const std::vector<std::string> kTypes = {"ip", "domain", "domain-name", "a"};
  const std::string& type = kTypes[static_cast<size_t>(number) % kTypes.size()];
  if (number % 3 == 0) {
    return absl::StrCat(type, "-", absl::Hex(number * 7919, absl::kZeroPad8), std::string(56, 'e'));
  }
  return absl::StrCat(type, "-", number);
}

absl::Time RandomTime() {
  const int nanoseconds = *rc::gen::weightedElement<int>({{4, 0}, {1, 1}, {1, 999'999'999}});
  return TestTime(*rc::gen::inRange(0, 5)) + absl::Nanoseconds(nanoseconds);
}

v1::Entity RandomEntity(int number) {
  v1::Entity entity = TestEntity(EntityName(number), MostlyOpenGroups());
  *entity.mutable_last_seen() = TimestampOf(RandomTime());
  *entity.mutable_timestamp() = TimestampOf(RandomTime());
  entity.set_reputation(*rc::gen::inRange(-3, 4));
  entity.set_best_reputation(*rc::gen::inRange(-3, 4));
  entity.set_accuracy(*rc::gen::inRange(0, 4));
  if (*rc::gen::inRange(0, 12) == 0) entity.set_type("other");
  (*entity.mutable_attributes())["port"].set_number_value(*rc::gen::inRange(0, 3));
  if (*rc::gen::inRange(0, 2) == 0) (*entity.mutable_attributes())["note"].set_bool_value(true);
  // Two such reports have more tags than one entity may have.
  const int tags = *rc::gen::inRange(0, 8) == 0 ? 40 : *rc::gen::inRange(0, 3);
  const int first = *rc::gen::inRange(0, 60);
  for (int i = 0; i < tags; ++i) entity.add_tags(absl::StrCat("tag", first + i));
  return entity;
}

ImportedRelation RandomRelation(int entities, bool hub) {
  ImportedRelation relation;
  // Some ends are in no report.
  relation.source = EntityName(hub ? 0 : *rc::gen::inRange(0, entities + 2));
  relation.target = EntityName(*rc::gen::inRange(0, entities + 2));
  if (*rc::gen::inRange(0, 2) == 0) std::swap(relation.source, relation.target);
  relation.type = *rc::gen::element(std::string("uses"), std::string("related-to"));
  if (*rc::gen::inRange(0, 4) == 0) relation.mode = RelationMode::kAggregation;
  if (*rc::gen::inRange(0, 2) == 0) relation.last_seen = RandomTime();
  if (*rc::gen::inRange(0, 4) == 0) relation.visible_by = RandomGroups();
  return relation;
}

std::vector<Statement> RandomStatements() {
  const int entities = *rc::gen::inRange(1, 40);
  const bool hub = *rc::gen::arbitrary<bool>();
  std::vector<Statement> statements;
  const int reports = *rc::gen::inRange(0, 2 * entities);
  for (int i = 0; i < reports; ++i) {
    statements.emplace_back(RandomEntity(*rc::gen::inRange(0, entities)));
  }
  const int relations = *rc::gen::inRange(0, 4 * entities);
  for (int i = 0; i < relations; ++i) {
    statements.emplace_back(RandomRelation(entities, hub && i % 2 == 0));
  }
  // Entities first, last, or mixed with relations.
  const int order = *rc::gen::inRange(0, 3);
  if (order == 1) std::reverse(statements.begin(), statements.end());
  if (order == 2) {
    for (size_t i = statements.size(); i > 1; --i) {
      std::swap(statements[i - 1], statements[*rc::gen::inRange<size_t>(0, i)]);
    }
  }
  return statements;
}

void Give(const std::vector<Statement>& statements, ImportSink& sink) {
  uint64_t line = 0;
  for (const Statement& statement : statements) {
    const ImportPosition position{absl::StrCat("file", line / 20), ++line, ""};
    if (const auto* entity = std::get_if<v1::Entity>(&statement)) {
      RC_ASSERT(sink.OnEntity(*entity, position).ok());
    } else {
      RC_ASSERT(sink.OnRelation(std::get<ImportedRelation>(statement), position).ok());
    }
  }
}

struct Store {
  Store() {
    database = *RocksDatabase::Open({directory.path(), OpenMode::kCreateIfMissing, 1 << 20});
    graph = *RocksGraphStore::Open(database.get());
  }

  // Destroyed in the opposite order.
  TempDir directory;
  std::unique_ptr<RocksDatabase> database;
  std::unique_ptr<RocksGraphStore> graph;
};

void RequireSound(RocksDatabase& database) {
  const auto report = CheckIntegrity(database);
  RC_ASSERT(report.ok());
  if (!report->clean()) RC_FAIL(absl::StrJoin(report->findings, "\n"));
}

void ImportAndCompare(Store& store, const std::vector<Statement>& statements, uint64_t memory_bytes,
                      ModelGraph::State* expected) {
  ReferenceImport reference;
  Give(statements, reference);
  const ReferenceImport::Result result = reference.Finish(expected);

  std::vector<std::string> rejections;
  BulkImport::Options options;
  options.memory_bytes = memory_bytes;
  options.on_rejected = [&](const ImportPosition& position, absl::string_view reason) {
    rejections.push_back(absl::StrCat(position.file, ":", position.line, ": ", reason));
  };
  BulkImport sink(store.graph.get(), std::move(options));
  Give(statements, sink);
  const auto counts = sink.Finish();
  if (!counts.ok()) RC_FAIL(counts.status().ToString());
  std::sort(rejections.begin(), rejections.end());

  const std::string difference = Difference(*expected, StateOf(*store.database));
  if (!difference.empty()) RC_FAIL(difference);
  RC_ASSERT(rejections == result.rejections);
  RC_ASSERT(counts->entities == result.entities);
  RC_ASSERT(counts->relations == result.relations);
  RC_ASSERT(counts->rejected == result.rejections.size());
  RequireSound(*store.database);
}

TEST_CASE("a bulk import does what the reference does, whatever its memory") {
  const bool same = rc::check([] {
    Store store;
    ModelGraph::State expected;
    const int imports = *rc::gen::inRange(1, 4);
    for (int i = 0; i < imports; ++i) {
      const auto memory = *rc::gen::element<uint64_t>(0, 2000, 20'000, uint64_t{8} << 20);
      const std::vector<Statement> statements = RandomStatements();
      ImportAndCompare(store, statements, memory, &expected);
      const ModelGraph::State before = expected;
      // What was reported in one order may say more when it comes again; relations do not.
      if (*rc::gen::inRange(0, 3) == 0) {
        ImportAndCompare(store, statements, memory, &expected);
        RC_ASSERT(expected.entities.size() == before.entities.size());
      }
    }
  });
  CHECK(same);
}

}  // namespace
}  // namespace relations
