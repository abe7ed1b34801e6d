// relationsctl delete and narrow: take entities and relations back, in a directory or at a server.
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/ctl/administration.h"
#include "server/ctl/command.h"
#include "server/ctl/printable.h"
#include "storage/base/status_macros.h"

namespace relations {
namespace {

enum class Action { kDelete, kNarrow };
enum class Thing { kEntity, kRelation };

struct WithdrawalSettings {
  // An entity's id, or a relation's ends.
  std::string id;
  std::string source;
  std::string target;
  std::string type;
  std::string mode;
  std::vector<std::string> keep;
};

template <typename Request>
Request RequestOf(Thing thing, const WithdrawalSettings& settings) {
  Request request;
  if (thing == Thing::kEntity) {
    request.set_entity_id(settings.id);
    return request;
  }
  request.mutable_relation()->set_source(settings.source);
  request.mutable_relation()->set_target(settings.target);
  request.mutable_relation()->set_type(settings.type);
  request.mutable_relation()->set_mode(settings.mode);
  return request;
}

absl::Status Run(Action action, Thing thing, const WithdrawalSettings& settings,
                 const GlobalSettings& globals) {
  const bool deletes = action == Action::kDelete;
  ASSIGN_OR_RETURN(auto place, AdministrationOf(globals, deletes ? "delete" : "narrow"));
  if (deletes) {
    RETURN_IF_ERROR(place->Delete(RequestOf<v1::DeleteRequest>(thing, settings)));
  } else {
    auto request = RequestOf<v1::NarrowRequest>(thing, settings);
    for (const std::string& group : settings.keep) request.add_visible_by(group);
    RETURN_IF_ERROR(place->Narrow(request));
  }
  std::cout << (deletes ? "deleted " : "narrowed ")
            << Printable(thing == Thing::kEntity
                             ? settings.id
                             : absl::StrCat(settings.source, " -> ", settings.target))
            << "\n";
  return absl::OkStatus();
}

void AddThing(CLI::App& group, Action action, Thing thing, const std::string& description,
              const GlobalSettings& globals, CommandBody& chosen) {
  CLI::App* const command =
      group.add_subcommand(thing == Thing::kEntity ? "entity" : "relation", description);
  const auto settings = std::make_shared<WithdrawalSettings>();
  if (thing == Thing::kEntity) {
    command->add_option("ID", settings->id, "The entity's id")->required();
  } else {
    command->add_option("SOURCE", settings->source, "The id that it starts from")->required();
    command->add_option("TARGET", settings->target, "The id that it leads to")->required();
    AddOption(*command, "type", settings->type, "Only relations of this type")->type_name("TYPE");
    AddOption(*command, "mode", settings->mode, "Only relations of this mode")
        ->check(CLI::IsMember({"association", "aggregation"}));
  }
  if (action == Action::kNarrow) {
    AddList(*command, "keep", settings->keep, "Groups that still may see it, of those that do")
        ->type_name("GROUP,...")
        ->required();
  }
  command->callback([action, thing, settings, &globals, &chosen] {
    chosen = [action, thing, settings, &globals] { return Run(action, thing, *settings, globals); };
  });
}

}  // namespace

void AddWithdrawalCommands(CLI::App& app, const GlobalSettings& globals, CommandBody& chosen) {
  CLI::App* const removal = app.add_subcommand(
      "delete", "Delete an entity or relations, from the next read on (--data or --server).");
  removal->require_subcommand(1);
  AddThing(*removal, Action::kDelete, Thing::kEntity, "Delete an entity with all its relations.",
           globals, chosen);
  AddThing(*removal, Action::kDelete, Thing::kRelation, "Delete the relations from one to another.",
           globals, chosen);
  CLI::App* const narrowing = app.add_subcommand(
      "narrow", "Take an entity or relations out of sight of groups (--data or --server).");
  narrowing->require_subcommand(1);
  AddThing(*narrowing, Action::kNarrow, Thing::kEntity,
           "Leave an entity, and with it its relations, to some of its groups.", globals, chosen);
  AddThing(*narrowing, Action::kNarrow, Thing::kRelation,
           "Leave the relations from one to another to some of their groups.", globals, chosen);
}

}  // namespace relations
