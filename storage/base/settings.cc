#include "storage/base/settings.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"

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

// Whether the setting stands on the command line, as --NAME, --NAME=VALUE or --no-NAME.
bool IsFlagGiven(const std::string& name, int argc, const char* const* argv) {
  for (int i = 1; i < argc; ++i) {
    const absl::string_view word = argv[i];
    if (word == "--") break;
    if (word == absl::StrCat("--", name) || word == absl::StrCat("--no-", name) ||
        absl::StartsWith(word, absl::StrCat("--", name, "="))) {
      return true;
    }
  }
  return false;
}

// "https://user:password@host" without what stands before the host.
std::string WithoutPassword(std::string value) {
  const size_t scheme_end = value.find("://");
  if (scheme_end == std::string::npos) return value;
  const size_t begin = scheme_end + 3;
  const size_t at = value.substr(0, value.find('/', begin)).rfind('@');
  if (at != std::string::npos && at >= begin) value.replace(begin, at - begin, "hidden");
  return value;
}

// One line of a config file; a value that is not there is a comment, for a file cannot say it.
std::string FileLine(const EffectiveSetting& setting) {
  if (setting.value.empty()) return absl::StrCat("# ", setting.name, " =");
  return absl::StrCat(
      setting.name, " = \"",
      absl::StrReplaceAll(setting.value, {{"\\", "\\\\"}, {"\"", "\\\""}}), "\"");
}

}  // namespace

std::vector<EffectiveSetting> ChangedSettings(const std::vector<EffectiveSetting>& before,
                                              const std::vector<EffectiveSetting>& after) {
  std::vector<EffectiveSetting> changed;
  for (size_t i = 0; i < std::min(before.size(), after.size()); ++i) {
    if (before[i].value != after[i].value) changed.push_back(after[i]);
  }
  return changed;
}

std::string Settings::Show(const std::vector<std::string>& values) {
  return absl::StrJoin(values, ",");
}

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
  CLI::Option* const option =
      app_.add_flag("--" + name + ",!--no-" + name, variable,
                    description + " [" + EnvironmentName(name) + "]")
          ->envname(EnvironmentName(name));
  entries_.push_back({name, option, [&variable] { return Show(variable); }});
  return option;
}

void Settings::OfferPrintConfig() {
  app_.add_flag("--print-config", print_config_,
                "print the settings as they count, each with its origin, and exit")
      ->configurable(false);
}

std::optional<int> Settings::Parse(int argc, const char* const* argv) {
  try {
    app_.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // CLI11 tells help and version by the same exception; its exit() prints each where it belongs.
    return app_.exit(error, std::cout, std::cerr) == 0 ? 0 : 2;
  }
  if (print_config_) {
    for (const EffectiveSetting& setting : Effective(argc, argv)) {
      std::cout << "# " << setting.origin << "\n" << FileLine(setting) << "\n";
    }
    return 0;
  }
  return std::nullopt;
}

absl::Status Settings::Reparse(int argc, const char* const* argv) {
  try {
    app_.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return absl::InvalidArgumentError(error.what());
  }
  return absl::OkStatus();
}

std::vector<EffectiveSetting> Settings::Effective(int argc, const char* const* argv) const {
  std::vector<EffectiveSetting> settings;
  for (const Entry& entry : entries_) {
    std::string origin = "default";
    if (IsFlagGiven(entry.name, argc, argv)) {
      origin = "flag";
    } else if (!Environment(EnvironmentName(entry.name)).empty()) {
      origin = "environment " + EnvironmentName(entry.name);
    } else if (entry.option->count() > 0) {
      origin = "file";
    }
    settings.push_back({entry.name, WithoutPassword(entry.show()), std::move(origin)});
  }
  return settings;
}

}  // namespace relations
