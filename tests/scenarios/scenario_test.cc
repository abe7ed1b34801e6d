// Every scenario of cases/ has one answer on all faces: the reference, the walk over the model and
// over RocksDB, gRPC, REST. And the visibility law: what a caller is answered is what a holder of
// all groups is answered of the graph that is left for that caller.
#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "storage/rocks/database.h"
#include "storage/rocks/rocks_graph_store.h"
#include "tests/scenarios/scenario.h"
#include "tests/scenarios/served_scenarios.h"
#include "tests/support/catch.h"
#include "tests/support/temp_dir.h"

namespace relations {
namespace {

namespace fs = std::filesystem;

struct NamedScenario {
  std::string name;
  Scenario scenario;
};

std::vector<NamedScenario> AllScenarios() {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(RELATIONS_SOURCE_DIR "/tests/scenarios/cases")) {
    paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<NamedScenario> all;
  for (const fs::path& path : paths) {
    CAPTURE(path);
    CHECK(path.extension() == ".scenario");
    absl::StatusOr<Scenario> scenario = ParseScenario(ReadFile(path));
    CAPTURE(scenario.status().ToString());
    REQUIRE(scenario.ok());
    all.push_back({path.stem(), *std::move(scenario)});
  }
  return all;
}

// All scenarios, marked, in one RocksDB store.
class RocksScenarios {
 public:
  explicit RocksScenarios(const std::vector<NamedScenario>& all) {
    auto database =
        RocksDatabase::Open({directory_ / "store", OpenMode::kCreateIfMissing, uint64_t{8} << 20});
    REQUIRE(database.ok());
    database_ = *std::move(database);
    auto store = RocksGraphStore::Open(database_.get());
    REQUIRE(store.ok());
    store_ = *std::move(store);
    for (size_t i = 0; i < all.size(); ++i) {
      REQUIRE(store_->Apply(ToMutations(Marked(i, all[i].scenario))).ok());
    }
  }

  // The answer to a question of scenario number `index`.
  std::string Ask(size_t index, const ScenarioQuestion& question) {
    const Scenario marked = Marked(index, {"", {}, {}, {question}});
    return Unmarked(index, AskStore(*store_, ToReference(marked.questions.front())));
  }

 private:
  TempDir directory_;
  std::unique_ptr<RocksDatabase> database_;
  std::unique_ptr<RocksGraphStore> store_;
};

TEST_CASE("there are scenarios, and each has an idea of its own") {
  const std::vector<NamedScenario> all = AllScenarios();
  CHECK(all.size() >= 50);
  std::set<std::string> ideas;
  for (const NamedScenario& named : all) ideas.insert(named.scenario.idea);
  CHECK(ideas.size() == all.size());
}

TEST_CASE("the storage layer answers every scenario, over the model and over RocksDB") {
  const std::vector<NamedScenario> all = AllScenarios();
  RocksScenarios rocks(all);
  for (size_t i = 0; i < all.size(); ++i) {
    const Scenario& scenario = all[i].scenario;
    CAPTURE(all[i].name, scenario.idea);
    ModelGraph model;
    REQUIRE(model.Apply(ToMutations(scenario)).ok());
    for (const ScenarioQuestion& question : scenario.questions) {
      CAPTURE(question.text);
      const ReferenceQuestion asked = ToReference(question);
      CHECK(AskReference(model.state(), asked) == question.answer);
      CHECK(AskStore(model, asked) == question.answer);
      CHECK(rocks.Ask(i, question) == question.answer);
    }
  }
}

TEST_CASE("the built programs answer every scenario, over gRPC and over REST") {
  const std::vector<NamedScenario> all = AllScenarios();
  std::vector<Scenario> marked;
  for (const NamedScenario& named : all) marked.push_back(Marked(marked.size(), named.scenario));
  ServedScenarios served(marked);
  for (size_t i = 0; i < all.size(); ++i) {
    CAPTURE(all[i].name, all[i].scenario.idea);
    for (const ScenarioQuestion& question : marked[i].questions) {
      CAPTURE(question.text);
      CHECK(Unmarked(i, served.AskRpc(question)) == question.answer);
      CHECK(Unmarked(i, served.AskRestForDetails(question)) == question.answer);
      CHECK(Unmarked(i, served.AskRest(question)) == WithoutDetails(question.answer));
    }
  }
}

// Every question of a scenario, and each asked as everybody whom the scenario knows.
std::vector<ScenarioQuestion> AskedByAll(const Scenario& scenario) {
  std::vector<GroupSet> callers = {{}, AllGroups(scenario)};
  for (const std::string& group : AllGroups(scenario)) callers.push_back({group});
  for (const ScenarioQuestion& question : scenario.questions) callers.push_back(question.groups);
  std::sort(callers.begin(), callers.end());
  callers.erase(std::unique(callers.begin(), callers.end()), callers.end());
  std::vector<ScenarioQuestion> questions;
  for (ScenarioQuestion question : scenario.questions) {
    for (const GroupSet& caller : callers) {
      question.groups = caller;
      questions.push_back(question);
    }
  }
  return questions;
}

TEST_CASE("what a caller is answered is what remains of the graph for it, answered to an insider") {
  const std::vector<NamedScenario> all = AllScenarios();
  RocksScenarios rocks(all);
  for (size_t i = 0; i < all.size(); ++i) {
    const Scenario& scenario = all[i].scenario;
    CAPTURE(all[i].name);
    ModelGraph model;
    REQUIRE(model.Apply(ToMutations(scenario)).ok());
    for (const ScenarioQuestion& question : AskedByAll(scenario)) {
      CAPTURE(question.text, question.groups);
      ModelGraph filtered;
      REQUIRE(filtered.Apply(ToMutations(FilteredFor(scenario, question.groups))).ok());
      const ReferenceQuestion asked = ToReference(question);
      ReferenceQuestion insider = asked;
      insider.groups = AllGroups(scenario);
      const std::string expected = WithoutGroups(AskStore(filtered, insider));
      CHECK(WithoutGroups(AskStore(model, asked)) == expected);
      CHECK(WithoutGroups(rocks.Ask(i, question)) == expected);
    }
  }
}

TEST_CASE("the example of README.md is how a scenario starts") {
  const std::string readme = ReadFile(RELATIONS_SOURCE_DIR "/tests/scenarios/README.md");
  const size_t begin = readme.find("```\n") + 4;
  const std::string example = readme.substr(begin, readme.find("```\n", begin) - begin);
  CHECK(ParseScenario(example).ok());
  const std::string file =
      ReadFile(RELATIONS_SOURCE_DIR "/tests/scenarios/cases/hidden_newer_relation.scenario");
  CHECK(file.substr(0, example.size()) == example);
}

TEST_CASE("a scenario that says nothing sensible is refused with its line") {
  const std::string graph = "# An idea.\nentity ip-a\nentity ip-b by g1,public\n";
  const std::string question = "\nask ip-a as public\ncomplete\n  ip-a\n";
  REQUIRE(ParseScenario(graph + question).ok());
  struct Row {
    std::string text;
    std::string message;
  };
  for (const Row& row : std::vector<Row>{
           {"entity ip-a\n" + question, "its idea"},
           {graph, "asks something"},
           {graph + "\nask ip-a as public\n", "no answer: ask ip-a as public"},
           {graph + "entity ip-a\n" + question, "line 4: the entity comes twice"},
           {graph + "entity ipa\n" + question, "line 4: an entity needs an id"},
           {graph + "entity ip-c on 3\n" + question, "line 4: unknown word on"},
           {graph + "entity ip-c by\n" + question, "line 4: by has no value"},
           {graph + "relation ip-a ip-b\n" + question, "line 4: a relation needs two ends"},
           {graph + "relation ip-a -> ip-z\n" + question, "line 4: an end is no entity"},
           {graph + "relation ip-a -> ip-b by g1\n" + question, "line 4: a relation is seen by"},
           {graph + "relation ip-a -> ip-b on x\n" + question, "line 4: not a number"},
           {graph + "relation ip-a -> ip-b on 1 on 2\n" + question, "line 4: on comes twice"},
           {graph + "relation ip-a -> ip-b mode x\n" + question, "line 4: not a mode"},
           {graph + "ask ip-a\ncomplete\n", "line 4: a question needs"},
           {graph + "ask ip-a as public limit 0\ncomplete\n", "line 4: not a number"},
           {graph + question + "ip-b\n", "line 8: an answer's lines are indented"},
           {graph + "  ip-a\n" + question, "line 4: an answer without a question"},
           {graph + "ask ip-a as public\n  ip-a\n", "line 5: an answer starts with"},
           {graph + question + "\nentity ip-c\n", "line 9: the graph comes before"}}) {
    CAPTURE(row.text);
    const absl::StatusOr<Scenario> scenario = ParseScenario(row.text);
    REQUIRE_FALSE(scenario.ok());
    CHECK_THAT(std::string(scenario.status().message()), Catch::Matchers::Contains(row.message));
  }
}

}  // namespace
}  // namespace relations
