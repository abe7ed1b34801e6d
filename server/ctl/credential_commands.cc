// relationsctl keys and sessions: create, list and revoke credentials, in a directory or at a
// server.
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "server/ctl/administration.h"
#include "server/ctl/answer_json.h"
#include "server/ctl/command.h"
#include "server/ctl/credentials_file.h"
#include "server/ctl/json_object.h"
#include "server/ctl/printable.h"
#include "server/ctl/table.h"
#include "storage/base/limits.h"
#include "storage/base/status_macros.h"

namespace relations {
namespace {

struct CreateSettings {
  std::string user;
  std::vector<std::string> groups;
  std::vector<std::string> roles;
  std::string name;
  int days = 0;
  std::string out;
  bool json = false;
};

struct ListSettings {
  bool json = false;
};

struct RevokeSettings {
  std::string id;
  bool json = false;
};

// What keys and sessions do alike, in words.
struct Kind {
  v1::CredentialKind kind = v1::CREDENTIAL_KIND_UNSPECIFIED;
  // "keys", the command; "key", one of them in JSON keys and messages.
  std::string command;
  std::string noun;
  int days = 0;
};

// What may be told of a credential: no secret.
std::string CredentialJson(const Kind& kind, const v1::Credential& credential) {
  return JsonObject()
      .AddString(absl::StrCat(kind.noun, "ID"), credential.id())
      .AddString("userID", credential.user_id())
      .AddString(absl::StrCat(kind.noun, "Name"), credential.name())
      .AddJson("groups", JsonStrings(credential.groups()))
      .AddJson("roles", JsonStrings(credential.roles()))
      .AddString("createdAt", TimestampText(credential.created_at()))
      .AddString("expireAt", TimestampText(credential.expires_at()))
      .AddBoolean("revoked", credential.revoked())
      .Text();
}

absl::string_view StateOf(const v1::Credential& credential) {
  if (credential.revoked()) return "revoked";
  return credential.expires_at().seconds() <= absl::ToUnixSeconds(absl::Now()) ? "expired"
                                                                               : "active";
}

// A new credential: its secret as JSON, the same for a reader.
struct Created {
  std::string json;
  std::string text;
  v1::Credential credential;
};

absl::StatusOr<Created> Create(const Kind& kind, const v1::CreateCredentialRequest& request,
                               Administration& place) {
  Created created;
  JsonObject json;
  if (kind.kind == v1::CREDENTIAL_KIND_SESSION) {
    ASSIGN_OR_RETURN(const auto response, place.CreateSession(request));
    created.credential = response.credential();
    json.AddString("bearer", response.bearer()).AddString("sessionID", created.credential.id());
    created.text = absl::StrCat("bearer      ", response.bearer(), "\n");
  } else {
    ASSIGN_OR_RETURN(const auto response, place.CreateKeyPair(request));
    created.credential = response.credential();
    json.AddString("apiKey", response.api_key())
        .AddString("apiSecret", response.api_secret())
        .AddString("keyID", created.credential.id())
        .AddString("keyName", created.credential.name());
    created.text = absl::StrCat("api-key     ", response.api_key(), "\napi-secret  ",
                                response.api_secret(), "\n");
  }
  const std::string expires = TimestampText(created.credential.expires_at());
  created.json = PrintableJson(json.AddString("expireAt", expires).Text());
  absl::StrAppend(&created.text, "id          ", created.credential.id(), "\nexpires     ", expires,
                  "\n");
  return created;
}

absl::Status RunCreate(const Kind& kind, const CreateSettings& settings,
                       const GlobalSettings& globals) {
  ASSIGN_OR_RETURN(auto place, AdministrationOf(globals, absl::StrCat(kind.command, " create")));
  v1::CreateCredentialRequest request;
  request.set_user_id(settings.user);
  request.set_name(settings.name);
  for (const std::string& group : settings.groups) request.add_groups(group);
  for (const std::string& role : settings.roles) request.add_roles(role);
  request.set_days(settings.days);
  if (settings.out.empty()) {
    ASSIGN_OR_RETURN(const Created created, Create(kind, request, *place));
    std::cout << (settings.json ? created.json + "\n"
                                : created.text + "Keep it now: the secret is not shown again.\n");
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(SecretFile file, SecretFile::Create(settings.out));
  ASSIGN_OR_RETURN(const Created created, Create(kind, request, *place));
  RETURN_IF_ERROR(file.Write(created.json));
  std::cout << (settings.json ? PrintableJson(CredentialJson(kind, created.credential))
                              : absl::StrCat(created.credential.id(), " written to ",
                                             Printable(settings.out)))
            << "\n";
  return absl::OkStatus();
}

absl::Status RunList(const Kind& kind, const ListSettings& settings,
                     const GlobalSettings& globals) {
  ASSIGN_OR_RETURN(auto place, AdministrationOf(globals, absl::StrCat(kind.command, " list")));
  ASSIGN_OR_RETURN(const v1::ListCredentialsResponse list, place->List(kind.kind));
  if (settings.json) {
    JsonArray array;
    for (const v1::Credential& credential : list.credentials()) {
      array.AddJson(CredentialJson(kind, credential));
    }
    std::cout << PrintableJson(JsonObject().AddJson(kind.command, array.Text()).Text()) << "\n";
    return absl::OkStatus();
  }
  Table table({"ID", "STATE", "EXPIRES", "USER", "ROLES", "GROUPS", "NAME"});
  for (const v1::Credential& credential : list.credentials()) {
    table.Add({credential.id(), std::string(StateOf(credential)),
               TimestampText(credential.expires_at()), credential.user_id(),
               absl::StrJoin(credential.roles(), ","), absl::StrJoin(credential.groups(), ","),
               credential.name()});
  }
  std::cout << table.Text();
  return absl::OkStatus();
}

absl::Status RunRevoke(const Kind& kind, const RevokeSettings& settings,
                       const GlobalSettings& globals) {
  ASSIGN_OR_RETURN(auto place, AdministrationOf(globals, absl::StrCat(kind.command, " revoke")));
  ASSIGN_OR_RETURN(const v1::Credential credential, place->Revoke(kind.kind, settings.id));
  if (settings.json) {
    std::cout << PrintableJson(CredentialJson(kind, credential)) << "\n";
  } else {
    std::cout << "revoked " << kind.noun << " " << Printable(credential.id()) << "\n";
  }
  return absl::OkStatus();
}

void AddCreateCommand(CLI::App& group, const Kind& kind, const GlobalSettings& globals,
                      CommandBody& chosen) {
  CLI::App* const command = group.add_subcommand(
      "create", absl::StrCat("Create a ", kind.noun, " and print its secret, once."));
  const auto settings = std::make_shared<CreateSettings>();
  settings->days = kind.days;
  AddOption(*command, "user", settings->user, "The user it speaks for")
      ->type_name("UUID")
      ->required();
  AddList(*command, "groups", settings->groups, "Groups of the user: what they may see")
      ->type_name("GROUP,...")
      ->required();
  AddList(*command, "roles", settings->roles, "What the user may do")
      ->type_name("ROLE,...")
      ->check(CLI::IsMember({"user", "reporter", "trusted", "admin"}))
      ->required();
  AddOption(*command, "name", settings->name, "A name to know it by")->type_name("TEXT");
  AddOption(*command, "days", settings->days, "Days that it is valid")
      ->type_name("N")
      ->check(CLI::Range(1, limits::kCredentialDaysMax))
      ->capture_default_str();
  AddOption(*command, "out", settings->out,
            "Write the secret, as JSON, to this new file (mode 0600) instead of printing it")
      ->type_name("FILE");
  AddSwitch(*command, "json", settings->json, "Print JSON, which --credentials understands");
  command->callback([kind, settings, &globals, &chosen] {
    chosen = [kind, settings, &globals] { return RunCreate(kind, *settings, globals); };
  });
}

void AddListCommand(CLI::App& group, const Kind& kind, const GlobalSettings& globals,
                    CommandBody& chosen) {
  CLI::App* const command = group.add_subcommand(
      "list", absl::StrCat("List all ", kind.command, ", revoked and expired ones too."));
  const auto settings = std::make_shared<ListSettings>();
  AddSwitch(*command, "json", settings->json, "Print JSON");
  command->callback([kind, settings, &globals, &chosen] {
    chosen = [kind, settings, &globals] { return RunList(kind, *settings, globals); };
  });
}

void AddRevokeCommand(CLI::App& group, const Kind& kind, const GlobalSettings& globals,
                      CommandBody& chosen) {
  CLI::App* const command = group.add_subcommand(
      "revoke", absl::StrCat("Revoke a ", kind.noun, " for ever, from the next request on."));
  const auto settings = std::make_shared<RevokeSettings>();
  command->add_option("ID", settings->id, "Its id, as `list` shows it")->required();
  AddSwitch(*command, "json", settings->json, "Print JSON");
  command->callback([kind, settings, &globals, &chosen] {
    chosen = [kind, settings, &globals] { return RunRevoke(kind, *settings, globals); };
  });
}

}  // namespace

void AddCredentialCommands(CLI::App& app, const GlobalSettings& globals, CommandBody& chosen) {
  const std::vector<Kind> kinds = {{v1::CREDENTIAL_KIND_KEY_PAIR, "keys", "key", 365},
                                   {v1::CREDENTIAL_KIND_SESSION, "sessions", "session", 1}};
  for (const Kind& kind : kinds) {
    CLI::App* const group = app.add_subcommand(
        kind.command, kind.noun == "key" ? "Key pairs: api-key and api-secret."
                                         : "Session tokens: authorization: Bearer.");
    group->require_subcommand(1);
    AddCreateCommand(*group, kind, globals, chosen);
    AddListCommand(*group, kind, globals, chosen);
    AddRevokeCommand(*group, kind, globals, chosen);
  }
}

}  // namespace relations
