#include "storage/base/settings.h"

#include <iostream>

#include "absl/strings/ascii.h"

namespace relations {

std::string EnvironmentName(const std::string& setting) {
  std::string name = "RELATIONS_" + absl::AsciiStrToUpper(setting);
  for (char& c : name) {
    if (c == '-') c = '_';
  }
  return name;
}

Settings::Settings(CLI::App& app) : app_(app) {
  app_.set_config("--config", "", "file of settings, one `key = value` a line [RELATIONS_CONFIG]")
      ->envname("RELATIONS_CONFIG");
  app_.allow_config_extras(CLI::config_extras_mode::error);
  app_.set_version_flag("--version", std::string(RELATIONS_VERSION));
}

CLI::Option* Settings::AddSwitch(const std::string& name, bool& variable,
                                 const std::string& description) {
  return app_
      .add_flag("--" + name + ",!--no-" + name, variable,
                description + " [" + EnvironmentName(name) + "]")
      ->envname(EnvironmentName(name));
}

std::optional<int> Settings::Parse(int argc, const char* const* argv) {
  try {
    app_.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // CLI11 tells help and version by the same exception; its exit() prints each where it belongs.
    return app_.exit(error, std::cout, std::cerr) == 0 ? 0 : 2;
  }
  return std::nullopt;
}

}  // namespace relations
