// relationsctl get and relations: what the read API says, as a table or as JSON.
#include <cstdint>
#include <deque>
#include <iostream>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/ctl/answer_json.h"
#include "server/ctl/command.h"
#include "server/ctl/printable.h"
#include "server/ctl/table.h"
#include "storage/base/limits.h"
#include "storage/base/status_macros.h"

namespace relations {
namespace {

struct GetSettings {
  std::string id;
  bool json = false;
};

struct RelationsSettings {
  std::string id;
  int limit = limits::kRelatedEntitiesDefault;
  int levels = limits::kLevelsDefault;
  std::vector<std::string> types;
  bool details = false;
  bool json = false;
};

// The main value of an entity, or its id when it has none.
std::string NameOf(const v1::Entity& entity) {
  const auto value = entity.attributes().find(entity.type());
  std::string text = value == entity.attributes().end() ? "" : ValueText(value->second);
  return text.empty() ? entity.id() : text;
}

void PrintEntity(const v1::Entity& entity) {
  const auto line = [](absl::string_view name, absl::string_view value) {
    std::cout << Printable(name) << std::string(name.size() < 14 ? 14 - name.size() : 1, ' ')
              << (value.empty() ? "-" : Printable(value)) << "\n";
  };
  line("id", entity.id());
  line("type", entity.type());
  line("value", NameOf(entity));
  line("reputation", absl::StrCat(entity.reputation(), " (best ", entity.best_reputation(),
                                  ", worst ", entity.worst_reputation(), ")"));
  line("accuracy", absl::StrCat(entity.accuracy()));
  line("last seen", TimestampText(entity.last_seen()));
  line("reported", TimestampText(entity.timestamp()));
  line("tags", absl::StrJoin(entity.tags(), ", "));
  line("visible by", absl::StrJoin(entity.visible_by(), ", "));
  std::map<std::string, std::string> attributes;
  for (const auto& [key, value] : entity.attributes()) attributes[key] = ValueText(value);
  std::cout << "attributes\n";
  for (const auto& [key, value] : attributes) line(absl::StrCat("  ", key), value);
}

// Hops from the root of each entity of the answer. The answer holds every relation by which a walk
// found them, so walking it again finds them all.
absl::flat_hash_map<std::string, int> Distances(const v1::GetRelationsResponse& answer) {
  absl::flat_hash_map<std::string, std::vector<std::string>> neighbours;
  for (const v1::Relation& relation : answer.relations()) {
    neighbours[relation.source()].push_back(relation.target());
    neighbours[relation.target()].push_back(relation.source());
  }
  absl::flat_hash_map<std::string, int> distances;
  std::deque<std::string> found;
  if (answer.nodes_size() > 0) {
    found.push_back(answer.nodes(0).id());
    distances[found.front()] = 0;
  }
  for (; !found.empty(); found.pop_front()) {
    const int next = distances[found.front()] + 1;
    for (const std::string& neighbour : neighbours[found.front()]) {
      if (distances.emplace(neighbour, next).second) found.push_back(neighbour);
    }
  }
  return distances;
}

void PrintAnswer(const v1::GetRelationsResponse& answer) {
  const auto distances = Distances(answer);
  absl::flat_hash_map<std::string, std::string> names;
  Table entities({"HOPS", "TYPE", "VALUE", "REPUTATION", "LAST SEEN", "ID"});
  for (const v1::Entity& node : answer.nodes()) {
    names[node.id()] = NameOf(node);
    const auto distance = distances.find(node.id());
    entities.Add({distance == distances.end() ? "?" : absl::StrCat(distance->second), node.type(),
                  names[node.id()], absl::StrCat(node.reputation()),
                  TimestampText(node.last_seen()), node.id()});
  }
  std::cout << entities.Text() << "\n";
  for (const v1::Relation& relation : answer.relations()) {
    std::cout << Printable(names[relation.source()]) << " -> "
              << Printable(names[relation.target()]) << "  " << Printable(relation.type()) << "\n";
  }
  if (answer.relations_size() > 0) std::cout << "\n";
  std::cout << Counted(answer.nodes_size(), "entity", "entities") << ", "
            << Counted(answer.relations_size(), "relation", "relations") << "; "
            << (answer.stop_reason() == v1::STOP_REASON_LIMIT ? "more exist: raise --limit"
                                                              : "this is all within these levels")
            << "\n";
}

absl::Status RunGet(const GetSettings& settings, const GlobalSettings& globals) {
  ASSIGN_OR_RETURN(RpcClient::Options options, NeedServer(globals, "get"));
  v1::GetRelationsRequest request;
  request.set_id(settings.id);
  // The root comes along whatever the limit; the smallest answer that there is.
  request.set_limit(1);
  request.set_levels(1);
  ASSIGN_OR_RETURN(const auto answer, RpcClient(std::move(options)).GetRelations(request));
  if (answer.nodes_size() == 0) return absl::DataLossError("the server's answer has no entity");
  if (settings.json) {
    std::cout << PrintableJson(EntityJson(answer.nodes(0))) << "\n";
  } else {
    PrintEntity(answer.nodes(0));
  }
  return absl::OkStatus();
}

absl::Status RunRelations(const RelationsSettings& settings, const GlobalSettings& globals) {
  ASSIGN_OR_RETURN(RpcClient::Options options, NeedServer(globals, "relations"));
  v1::GetRelationsRequest request;
  request.set_id(settings.id);
  request.set_limit(settings.limit);
  request.set_levels(settings.levels);
  for (const std::string& type : settings.types) request.add_types(type);
  ASSIGN_OR_RETURN(const auto answer, RpcClient(std::move(options)).GetRelations(request));
  if (settings.json) {
    const auto details = settings.details ? AnswerDetails::kIncluded : AnswerDetails::kOmitted;
    std::cout << PrintableJson(AnswerJson(answer, details)) << "\n";
  } else {
    PrintAnswer(answer);
  }
  return absl::OkStatus();
}

}  // namespace

void AddQueryCommands(CLI::App& app, const GlobalSettings& globals, CommandBody& chosen) {
  CLI::App* const health = app.add_subcommand(
      "health", "Say whether a server serves (--server); the exit code does, for probes.");
  health->callback([&globals, &chosen] {
    chosen = [&globals]() -> absl::Status {
      ASSIGN_OR_RETURN(RpcClient::Options options, NeedServer(globals, "health"));
      RETURN_IF_ERROR(RpcClient(std::move(options)).CheckHealth());
      std::cout << "serving\n";
      return absl::OkStatus();
    };
  });

  CLI::App* const get = app.add_subcommand("get", "Show one entity, asking a server (--server).");
  const auto get_settings = std::make_shared<GetSettings>();
  get->add_option("ID", get_settings->id, "The entity's id")->required();
  AddSwitch(*get, "json", get_settings->json, "Print the node as the REST API does");
  get->callback([get_settings, &globals, &chosen] {
    chosen = [get_settings, &globals] { return RunGet(*get_settings, globals); };
  });

  CLI::App* const relations = app.add_subcommand(
      "relations", "Show what an entity is connected to, asking a server (--server).");
  const auto settings = std::make_shared<RelationsSettings>();
  const CLI::Range positive(1, std::numeric_limits<int32_t>::max());
  relations->add_option("ID", settings->id, "The entity's id")->required();
  AddOption(*relations, "limit", settings->limit,
            absl::StrCat("Most related entities, more than ", limits::kRelatedEntitiesMax,
                         " means ", limits::kRelatedEntitiesMax))
      ->type_name("N")
      ->check(positive)
      ->capture_default_str();
  AddOption(*relations, "levels", settings->levels,
            absl::StrCat("Hops from the entity, more than ", limits::kLevelsMax, " means ",
                         limits::kLevelsMax))
      ->type_name("N")
      ->check(positive)
      ->capture_default_str();
  AddList(*relations, "types", settings->types, "Walk and show only entities of these types")
      ->type_name("TYPE,...");
  AddSwitch(*relations, "details", settings->details,
            "With --json: type, mode and lastSeen of each relation");
  AddSwitch(*relations, "json", settings->json, "Print the answer as the REST API does");
  relations->callback([settings, &globals, &chosen] {
    chosen = [settings, &globals] { return RunRelations(*settings, globals); };
  });
}

}  // namespace relations
