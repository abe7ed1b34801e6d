#include "server/ctl/command.h"

#include "absl/strings/str_cat.h"
#include "storage/base/settings.h"
#include "storage/base/status_macros.h"

namespace relations {

std::string EnvironmentNameOf(const CLI::App& command, const std::string& option) {
  std::string setting = option;
  for (const CLI::App* app = &command; app->get_parent() != nullptr; app = app->get_parent()) {
    setting = absl::StrCat(app->get_name(), "-", setting);
  }
  return EnvironmentName(setting);
}

CLI::Option* AddList(CLI::App& command, const std::string& name, std::vector<std::string>& variable,
                     const std::string& description) {
  // One argument only: the next word is not swallowed.
  return AddOption(command, name, variable, description)->delimiter(',')->allow_extra_args(false);
}

CLI::Option* AddSwitch(CLI::App& command, const std::string& name, bool& variable,
                       const std::string& description) {
  return command.add_flag("--" + name, variable, description)
      ->envname(EnvironmentNameOf(command, name));
}

absl::StatusOr<std::string> NeedDirectory(const GlobalSettings& globals, const std::string& name) {
  if (globals.data.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, " works on the directory of a stopped store: give --data DIR"));
  }
  return globals.data;
}

absl::StatusOr<RpcClient::Options> NeedServer(const GlobalSettings& globals,
                                              const std::string& name) {
  if (globals.server.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, " asks a running server: give --server ADDR"));
  }
  RpcClient::Options options;
  options.address = globals.server;
  options.timeout = absl::Milliseconds(globals.timeout_ms);
  options.tls = {globals.tls_cert, globals.tls_key, globals.tls_ca};
  options.tls_name = globals.tls_name;
  if (!globals.credentials.empty()) {
    ASSIGN_OR_RETURN(options.credentials, ReadCredentials(globals.credentials));
  }
  return options;
}

absl::StatusOr<std::unique_ptr<Administration>> AdministrationOf(const GlobalSettings& globals,
                                                                 const std::string& name) {
  if (!globals.data.empty()) return DirectoryAdministration(globals.data);
  if (globals.server.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, " needs --data DIR (a stopped store) or --server ADDR (a running one)"));
  }
  ASSIGN_OR_RETURN(RpcClient::Options options, NeedServer(globals, name));
  return ServerAdministration(std::move(options));
}

}  // namespace relations
