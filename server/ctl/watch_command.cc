// relationsctl watch: the feed of changes, as lines for people or as JSON.
#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include "server/ctl/answer_json.h"
#include "server/ctl/command.h"
#include "server/ctl/printable.h"
#include "storage/base/status_macros.h"

namespace relations {
namespace {

struct WatchSettings {
  std::string token;
  bool until_current = false;
  bool json = false;
};

void PrintMessage(const v1::WatchResponse& message) {
  for (const std::string& id : message.gone_entities()) {
    std::cout << "- " << Printable(id) << "\n";
  }
  for (const v1::RelationSelection& gone : message.gone_relations()) {
    std::cout << "- " << Printable(gone.source()) << " -> " << Printable(gone.target()) << "  "
              << Printable(gone.type()) << "\n";
  }
  for (const v1::Entity& entity : message.entities()) {
    const auto value = entity.attributes().find(entity.type());
    std::cout << "+ " << Printable(entity.id());
    if (value != entity.attributes().end()) {
      std::cout << "  " << Printable(ValueText(value->second));
    }
    std::cout << "\n";
  }
  for (const v1::Relation& relation : message.relations()) {
    std::cout << "+ " << Printable(relation.source()) << " -> " << Printable(relation.target())
              << "  " << Printable(relation.type()) << "\n";
  }
  std::cout << "token " << Printable(message.token()) << "\n";
}

absl::Status RunWatch(const WatchSettings& settings, const GlobalSettings& globals) {
  ASSIGN_OR_RETURN(RpcClient::Options options, NeedServer(globals, "watch"));
  v1::WatchRequest request;
  request.set_token(settings.token);
  return RpcClient(std::move(options)).Watch(request, [&](const v1::WatchResponse& message) {
    if (settings.json) {
      std::cout << PrintableJson(WatchJson(message)) << "\n";
    } else {
      PrintMessage(message);
    }
    // Whoever reads a pipe gets each message as it comes; who has left ends it.
    return static_cast<bool>(std::cout.flush()) && !(settings.until_current && message.current());
  });
}

}  // namespace

void AddWatchCommand(CLI::App& app, const GlobalSettings& globals, CommandBody& chosen) {
  CLI::App* const watch = app.add_subcommand(
      "watch", "Print what changes, as far as the caller may see it, asking a server (--server).");
  const auto settings = std::make_shared<WatchSettings>();
  AddOption(*watch, "token", settings->token,
            "Go on after the message that had this token; without one, from now on")
      ->type_name("TOKEN");
  AddSwitch(*watch, "until-current", settings->until_current,
            "End when all that was written is told");
  AddSwitch(*watch, "json", settings->json, "Print each message as JSON, one a line");
  watch->callback([settings, &globals, &chosen] {
    chosen = [settings, &globals] { return RunWatch(*settings, globals); };
  });
}

}  // namespace relations
