// Golden scenarios: a graph, a question, the answer, as text (README.md has the format). One text
// of an answer serves every face of the product, so that faces are compared line by line.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/graph_store.h"
#include "tests/support/reference_walk.h"

namespace relations {

struct ScenarioEntity {
  std::string id;
  // Canonical.
  GroupSet groups;
};

struct ScenarioRelation {
  std::string source;
  std::string target;
  int day = 0;
  std::string type;
  RelationMode mode = RelationMode::kAssociation;
  // Canonical; what the ends share where the text says nothing.
  GroupSet groups;
  // The text says nothing of groups.
  bool default_groups = true;
};

struct ScenarioQuestion {
  // What is asked, as the text says it: for messages.
  std::string text;
  std::string id;
  GroupSet groups;
  // 0 where the text says nothing.
  int limit = 0;
  int levels = 0;
  // Canonical.
  std::vector<std::string> types;
  // The answer as the text says it, its indentation removed: lines, each ended by a line feed.
  std::string answer;
};

struct Scenario {
  std::string idea;
  std::vector<ScenarioEntity> entities;
  std::vector<ScenarioRelation> relations;
  std::vector<ScenarioQuestion> questions;
};

// INVALID_ARGUMENT names the line that is wrong.
absl::StatusOr<Scenario> ParseScenario(const std::string& text);

// The instant of a scenario's day.
absl::Time ScenarioDay(int day);

// The graph as the storage layer takes it.
Mutations ToMutations(const Scenario& scenario);

// The question with its defaults filled in.
ReferenceQuestion ToReference(const ScenarioQuestion& question);

// What is left of the graph for a holder of `groups`: no entity and no relation that it may not
// see. Their own groups stay.
Scenario FilteredFor(const Scenario& scenario, const GroupSet& groups);

// Every group that the graph names.
GroupSet AllGroups(const Scenario& scenario);

// The scenario as number `index` of many in one store: a mark in every id keeps it apart from the
// others and changes no order. Answers stay as they are: Unmarked frees what is answered of the
// mark.
Scenario Marked(size_t index, Scenario scenario);
std::string Unmarked(size_t index, const std::string& answer);

// Builds the text of an answer.
class AnswerText {
 public:
  explicit AnswerText(bool stopped_by_limit) : text_(stopped_by_limit ? "limit\n" : "complete\n") {}

  void AddEntity(const std::string& id, const GroupSet& groups);
  void AddRelation(const ReferenceRelation& relation);
  // A relation of an answer without details.
  void AddPair(const std::string& source, const std::string& target);
  const std::string& text() const { return text_; }

  static std::string NotFound() { return "not found\n"; }

 private:
  std::string text_;
};

// The answer as it is without details: of relations their ends, each pair once.
std::string WithoutDetails(const std::string& answer);
// The answer without the groups of its entities.
std::string WithoutGroups(const std::string& answer);

// Answers of the storage layer: of Expand over `store`, and of the reference over a model's state.
// Failures are text too.
std::string AskStore(GraphStore& store, const ReferenceQuestion& question);
std::string AskReference(const ModelGraph::State& state, const ReferenceQuestion& question);

}  // namespace relations
