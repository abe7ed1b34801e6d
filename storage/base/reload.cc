#include "storage/base/reload.h"

#include <algorithm>

#include "storage/base/log.h"

namespace relations {

void LogReload(const std::vector<EffectiveSetting>& before,
               const std::vector<EffectiveSetting>& after,
               const std::vector<absl::string_view>& reloadable) {
  for (const EffectiveSetting& setting : ChangedSettings(before, after)) {
    const bool taken = std::find(reloadable.begin(), reloadable.end(), setting.name) !=
                       reloadable.end();
    Log(taken ? LogLevel::kInfo : LogLevel::kWarning,
        taken ? "setting changed" : "setting waits for a restart",
        {{"setting", setting.name}, {"value", setting.value}, {"origin", setting.origin}});
  }
  LogInfo("settings read again");
}

}  // namespace relations
