#include "tests/scenarios/scenario.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "storage/base/limits.h"
#include "storage/base/status_macros.h"
#include "storage/consolidation.h"
#include "storage/entity_id.h"
#include "storage/traversal.h"
#include "tests/support/graph_literals.h"

namespace relations {
namespace {

constexpr char kDefaultType[] = "related-to";
const GroupSet& PublicGroup() {
  static const GroupSet groups = {"public"};
  return groups;
}

using Words = std::vector<std::string>;

absl::Status Wrong(absl::string_view what) { return absl::InvalidArgumentError(what); }

absl::StatusOr<GroupSet> ReadGroups(const std::string& text) {
  std::vector<std::string> groups = absl::StrSplit(text, ',');
  for (const std::string& group : groups) {
    if (!IsGroupName(group)) return Wrong("not a group name");
  }
  return CanonicalGroups(std::move(groups));
}

absl::StatusOr<int> ReadNumber(const std::string& text, int min) {
  int number = 0;
  if (!absl::SimpleAtoi(text, &number) || number < min) return Wrong("not a number from the least");
  return number;
}

// The words after the first `skip` as pairs of a key and a value, each key once and one of `keys`.
absl::StatusOr<std::map<std::string, std::string>> ReadPairs(const Words& words, size_t skip,
                                                             const std::set<std::string>& keys) {
  std::map<std::string, std::string> pairs;
  for (size_t i = skip; i < words.size(); i += 2) {
    if (!keys.contains(words[i])) return Wrong(absl::StrCat("unknown word ", words[i]));
    if (i + 1 == words.size()) return Wrong(absl::StrCat(words[i], " has no value"));
    if (!pairs.emplace(words[i], words[i + 1]).second) {
      return Wrong(absl::StrCat(words[i], " comes twice"));
    }
  }
  return pairs;
}

const ScenarioEntity* Find(const Scenario& scenario, const std::string& id) {
  const auto found = std::find_if(scenario.entities.begin(), scenario.entities.end(),
                                  [&](const ScenarioEntity& entity) { return entity.id == id; });
  return found == scenario.entities.end() ? nullptr : &*found;
}

// entity ID [by GROUPS]
absl::Status ReadEntity(const Words& words, Scenario& scenario) {
  if (words.size() < 2 || !IsEntityId(words[1])) return Wrong("an entity needs an id");
  if (Find(scenario, words[1]) != nullptr) return Wrong("the entity comes twice");
  ASSIGN_OR_RETURN(const auto pairs, ReadPairs(words, 2, {"by"}));
  ScenarioEntity entity{words[1], PublicGroup()};
  if (pairs.contains("by")) {
    ASSIGN_OR_RETURN(entity.groups, ReadGroups(pairs.at("by")));
  }
  scenario.entities.push_back(std::move(entity));
  return absl::OkStatus();
}

// relation ID -> ID [on DAY] [type TYPE] [mode MODE] [by GROUPS]
absl::Status ReadRelation(const Words& words, Scenario& scenario) {
  if (words.size() < 4 || words[2] != "->") return Wrong("a relation needs two ends");
  ScenarioRelation relation{words[1], words[3], 0, kDefaultType, RelationMode::kAssociation, {}};
  const ScenarioEntity* const source = Find(scenario, relation.source);
  const ScenarioEntity* const target = Find(scenario, relation.target);
  if (source == nullptr || target == nullptr) return Wrong("an end is no entity from above");
  ASSIGN_OR_RETURN(const auto pairs, ReadPairs(words, 4, {"on", "type", "mode", "by"}));
  if (pairs.contains("on")) {
    ASSIGN_OR_RETURN(relation.day, ReadNumber(pairs.at("on"), 0));
  }
  if (pairs.contains("type")) relation.type = pairs.at("type");
  if (pairs.contains("mode") && !ParseRelationMode(pairs.at("mode"), &relation.mode)) {
    return Wrong("not a mode");
  }
  const GroupSet shared = SharedGroups(source->groups, target->groups);
  relation.groups = shared;
  if (pairs.contains("by")) {
    ASSIGN_OR_RETURN(relation.groups, ReadGroups(pairs.at("by")));
    relation.default_groups = false;
  }
  if (relation.groups.empty() || SharedGroups(relation.groups, shared) != relation.groups) {
    return Wrong("a relation is seen by groups that both its ends are seen by");
  }
  scenario.relations.push_back(std::move(relation));
  return absl::OkStatus();
}

// ask ID as GROUPS [limit N] [levels N] [types TYPES]
absl::Status ReadQuestion(const std::string& line, const Words& words, Scenario& scenario) {
  if (words.size() < 4 || words[2] != "as") return Wrong("a question needs an id and groups");
  ScenarioQuestion question;
  question.text = line;
  question.id = words[1];
  if (words[3] != "nobody") {
    ASSIGN_OR_RETURN(question.groups, ReadGroups(words[3]));
  }
  ASSIGN_OR_RETURN(const auto pairs, ReadPairs(words, 4, {"limit", "levels", "types"}));
  if (pairs.contains("limit")) {
    ASSIGN_OR_RETURN(question.limit, ReadNumber(pairs.at("limit"), 1));
  }
  if (pairs.contains("levels")) {
    ASSIGN_OR_RETURN(question.levels, ReadNumber(pairs.at("levels"), 1));
  }
  if (pairs.contains("types")) question.types = absl::StrSplit(pairs.at("types"), ',');
  scenario.questions.push_back(std::move(question));
  return absl::OkStatus();
}

// A line of an answer, which ends at the next blank line.
absl::Status ReadAnswerLine(const std::string& line, Scenario& scenario) {
  if (scenario.questions.empty()) return Wrong("an answer without a question");
  std::string& answer = scenario.questions.back().answer;
  const bool first = answer.empty();
  const bool verdict = line == "complete" || line == "limit" || line == "not found";
  if (first != verdict) return Wrong("an answer starts with complete, limit or not found");
  if (!first && !absl::StartsWith(line, "  "))
    return Wrong("an answer's lines are indented by two");
  absl::StrAppend(&answer, first ? line : line.substr(2), "\n");
  return absl::OkStatus();
}

absl::Status ReadLine(const std::string& line, Scenario& scenario) {
  if (absl::StartsWith(line, "# ")) {
    absl::StrAppend(&scenario.idea, scenario.idea.empty() ? "" : " ", line.substr(2));
    return absl::OkStatus();
  }
  const Words words = absl::StrSplit(line, ' ');
  const bool asked = !scenario.questions.empty();
  if (words[0] == "ask") return ReadQuestion(line, words, scenario);
  if (words[0] == "entity" || words[0] == "relation") {
    if (asked) return Wrong("the graph comes before the questions");
    return words[0] == "entity" ? ReadEntity(words, scenario) : ReadRelation(words, scenario);
  }
  return ReadAnswerLine(line, scenario);
}

// Of one length for all, and in no scenario's own text.
std::string MarkOf(size_t index) { return absl::StrCat("s", 1000 + index, "x"); }

}  // namespace

absl::StatusOr<Scenario> ParseScenario(const std::string& text) {
  Scenario scenario;
  int number = 0;
  for (const std::string& line : std::vector<std::string>(absl::StrSplit(text, '\n'))) {
    ++number;
    if (line.empty()) continue;
    const absl::Status read = ReadLine(line, scenario);
    if (!read.ok()) return Wrong(absl::StrCat("line ", number, ": ", read.message()));
  }
  if (scenario.idea.empty()) return Wrong("a scenario starts with its idea");
  if (scenario.questions.empty()) return Wrong("a scenario asks something");
  for (const ScenarioQuestion& question : scenario.questions) {
    if (question.answer.empty()) return Wrong(absl::StrCat("no answer: ", question.text));
  }
  return scenario;
}

absl::Time ScenarioDay(int day) { return TestTime(0) + absl::Hours(24) * day; }

Mutations ToMutations(const Scenario& scenario) {
  Mutations mutations;
  for (const ScenarioEntity& entity : scenario.entities) {
    mutations.entities.push_back({TestEntity(entity.id, entity.groups)});
  }
  for (const ScenarioRelation& relation : scenario.relations) {
    mutations.relations.push_back({relation.source, relation.target, relation.type, relation.mode,
                                   ScenarioDay(relation.day), relation.groups});
  }
  return mutations;
}

ReferenceQuestion ToReference(const ScenarioQuestion& question) {
  ReferenceQuestion reference;
  reference.root = question.id;
  reference.limit = question.limit == 0 ? limits::kRelatedEntitiesDefault : question.limit;
  reference.levels = question.levels == 0 ? limits::kLevelsDefault : question.levels;
  reference.types.insert(question.types.begin(), question.types.end());
  reference.groups = question.groups;
  return reference;
}

Scenario FilteredFor(const Scenario& scenario, const GroupSet& groups) {
  Scenario filtered;
  for (const ScenarioEntity& entity : scenario.entities) {
    if (!SharedGroups(entity.groups, groups).empty()) filtered.entities.push_back(entity);
  }
  for (const ScenarioRelation& relation : scenario.relations) {
    if (!SharedGroups(relation.groups, groups).empty() &&
        Find(filtered, relation.source) != nullptr && Find(filtered, relation.target) != nullptr) {
      filtered.relations.push_back(relation);
    }
  }
  return filtered;
}

GroupSet AllGroups(const Scenario& scenario) {
  GroupSet groups;
  for (const ScenarioEntity& entity : scenario.entities) {
    groups = UnitedGroups(groups, entity.groups);
  }
  return groups;
}

Scenario Marked(size_t index, Scenario scenario) {
  // The type stays in front: "ip-a" becomes "ip-s1007xa".
  const auto mark = [&](std::string& id) { id.insert(id.find('-') + 1, MarkOf(index)); };
  for (ScenarioEntity& entity : scenario.entities) mark(entity.id);
  for (ScenarioRelation& relation : scenario.relations) {
    mark(relation.source);
    mark(relation.target);
  }
  for (ScenarioQuestion& question : scenario.questions) mark(question.id);
  return scenario;
}

std::string Unmarked(size_t index, const std::string& answer) {
  return absl::StrReplaceAll(answer, {{MarkOf(index), ""}});
}

void AnswerText::AddEntity(const std::string& id, const GroupSet& groups) {
  const bool plain = groups == PublicGroup();
  absl::StrAppend(&text_, id, plain ? "" : " by ", plain ? "" : absl::StrJoin(groups, ","), "\n");
}

void AnswerText::AddRelation(const ReferenceRelation& relation) {
  const absl::Duration since = relation.last_seen - ScenarioDay(0);
  const int64_t day = since / absl::Hours(24);
  absl::StrAppend(&text_, relation.source, " -> ", relation.target);
  if (since != absl::Hours(24) * day) {
    absl::StrAppend(&text_, " at ", absl::FormatTime(relation.last_seen, absl::UTCTimeZone()));
  } else if (day != 0) {
    absl::StrAppend(&text_, " on ", day);
  }
  if (relation.type != kDefaultType) absl::StrAppend(&text_, " type ", relation.type);
  if (relation.mode != RelationMode::kAssociation) {
    absl::StrAppend(&text_, " mode ", RelationModeName(relation.mode));
  }
  text_ += '\n';
}

void AnswerText::AddPair(const std::string& source, const std::string& target) {
  absl::StrAppend(&text_, source, " -> ", target, "\n");
}

std::string WithoutDetails(const std::string& answer) {
  std::string text;
  std::string last;
  for (const absl::string_view line : absl::StrSplit(answer, '\n', absl::SkipEmpty())) {
    std::vector<std::string> words = absl::StrSplit(line, ' ');
    std::string kept(line);
    if (words.size() > 2 && words[1] == "->") {
      words.resize(3);
      kept = absl::StrJoin(words, " ");
      if (kept == last) continue;
      last = kept;
    }
    absl::StrAppend(&text, kept, "\n");
  }
  return text;
}

std::string WithoutGroups(const std::string& answer) {
  std::string text;
  for (const absl::string_view line : absl::StrSplit(answer, '\n', absl::SkipEmpty())) {
    absl::StrAppend(&text, line.substr(0, line.find(" by ")), "\n");
  }
  return text;
}

std::string AskStore(GraphStore& store, const ReferenceQuestion& question) {
  ExpandParams params;
  params.root_id = question.root;
  params.limit = question.limit;
  params.levels = question.levels;
  params.types.insert(question.types.begin(), question.types.end());
  params.groups = question.groups;
  const absl::StatusOr<ExpandedGraph> graph = Expand(store, params);
  if (absl::IsNotFound(graph.status())) return AnswerText::NotFound();
  if (!graph.ok()) return graph.status().ToString();
  AnswerText answer(graph->stopped_by_limit);
  std::vector<std::string> ids;
  for (const ExpandedEntity& node : graph->nodes) {
    v1::Entity entity;
    if (!entity.ParseFromString(node.Wire())) return "an entity does not parse";
    answer.AddEntity(entity.id(), {entity.visible_by().begin(), entity.visible_by().end()});
    ids.push_back(entity.id());
  }
  for (const ExpandedRelation& relation : graph->relations) {
    answer.AddRelation({ids.at(relation.source), ids.at(relation.target),
                        std::string(relation.type), relation.mode, relation.last_seen});
  }
  return answer.text();
}

std::string AskReference(const ModelGraph::State& state, const ReferenceQuestion& question) {
  const std::optional<ReferenceAnswer> reference = ReferenceWalk(state, question);
  if (!reference.has_value()) return AnswerText::NotFound();
  AnswerText answer(reference->stopped_by_limit);
  for (const v1::Entity& entity : reference->nodes) {
    answer.AddEntity(entity.id(), {entity.visible_by().begin(), entity.visible_by().end()});
  }
  for (const ReferenceRelation& relation : reference->relations) answer.AddRelation(relation);
  return answer.text();
}

}  // namespace relations
