// Members of a JSON object that tell of a user: an authentication service's answer, a token's
// claims.
//
// Thread-safe. A value of the wrong kind is INVALID_ARGUMENT with the member's name, never guessed.
#pragma once

#include <simdjson.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "storage/graph_types.h"

namespace relations {

using JsonObject = simdjson::dom::object;

// The object that `text` is; it lives as long as the parser is not used again.
absl::StatusOr<JsonObject> ParseJsonObject(simdjson::dom::parser& parser, absl::string_view text);

// A string; nothing when it is absent, null or empty.
absl::StatusOr<std::optional<std::string>> FindText(const JsonObject& object,
                                                    absl::string_view name);

// A list of strings, or one string; empty when it is absent or null.
absl::StatusOr<std::vector<std::string>> FindTexts(const JsonObject& object,
                                                   absl::string_view name);

// Seconds since 1970 as a number; nothing when it is absent or null.
absl::StatusOr<std::optional<absl::Time>> FindSeconds(const JsonObject& object,
                                                      absl::string_view name);

// 1 to limits::kUserIdBytesMax visible ASCII characters.
bool IsUserId(absl::string_view text);

// Groups for a principal. Names that no group can have are left out: nothing can bear them.
// INVALID_ARGUMENT beyond limits::kPrincipalGroupsMax.
absl::StatusOr<GroupSet> TakeGroups(const std::vector<std::string>& names);

// Roles for a principal: those of 1 to limits::kRoleBytesMax bytes, at most kRolesMax.
inline constexpr size_t kRolesMax = 256;
absl::StatusOr<std::vector<std::string>> TakeRoles(std::vector<std::string> names);

}  // namespace relations
