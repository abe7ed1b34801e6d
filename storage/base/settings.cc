#include "storage/base/settings.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <vector>

#include "absl/strings/ascii.h"

namespace relations {
namespace {

std::string Environment(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  return value == nullptr ? std::string() : std::string(value);
}

// The file gives way to the environment: the library reads the file first and looks at the
// environment only for what is still open, so keys that the environment sets are dropped here.
class FileBelowEnvironment : public CLI::ConfigBase {
 public:
  std::vector<CLI::ConfigItem> from_config(std::istream& input) const override {
    std::vector<CLI::ConfigItem> items = CLI::ConfigBase::from_config(input);
    items.erase(std::remove_if(items.begin(), items.end(), IsInEnvironment), items.end());
    return items;
  }

 private:
  static bool IsInEnvironment(const CLI::ConfigItem& item) {
    std::string setting;
    for (const std::string& section : item.parents) setting += section + "-";
    return !Environment(EnvironmentName(setting + item.name)).empty();
  }
};

}  // namespace

std::string EnvironmentName(const std::string& setting) {
  std::string name = "RELATIONS_" + absl::AsciiStrToUpper(setting);
  for (char& c : name) {
    if (c == '-') c = '_';
  }
  return name;
}

Settings::Settings(CLI::App& app) : app_(app) {
  // A file that the environment names must be there, like one that the flag names.
  const std::string file = Environment("RELATIONS_CONFIG");
  app_.set_config("--config", file, "file of settings, one `key = value` a line [RELATIONS_CONFIG]",
                  !file.empty());
  app_.config_formatter(std::make_shared<FileBelowEnvironment>());
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
