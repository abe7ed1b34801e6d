#include "server/trusted_hops.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "storage/base/limits.h"
#include "storage/base/public_error.h"

namespace relations {
namespace {

bool IsUserId(absl::string_view text) {
  return !text.empty() && text.size() <= limits::kUserIdBytesMax &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_isgraph(static_cast<unsigned char>(c)); });
}

}  // namespace

bool IsTrusted(const TrustedHops& hops, const PeerProof& proof) {
  return proof.trusted_uid ||
         std::any_of(hops.names.begin(), hops.names.end(), [&](const std::string& name) {
           return std::find(proof.certificate_names.begin(), proof.certificate_names.end(), name) !=
                  proof.certificate_names.end();
         });
}

absl::StatusOr<std::optional<Principal>> AssertedPrincipal(
    const TrustedHops& hops, const std::vector<absl::string_view>& user_ids,
    const std::vector<absl::string_view>& groups) {
  if (user_ids.empty()) return std::nullopt;
  if (user_ids.size() > 1 || !IsUserId(user_ids.front())) {
    return PublicError(absl::StatusCode::kInvalidArgument, reason::kInvalidArgument,
                       "user-id must be one id of 1 to 128 visible characters", "user-id");
  }
  Principal principal;
  principal.user_id = std::string(user_ids.front());
  principal.roles = hops.roles;
  std::vector<std::string> names;
  for (const absl::string_view header : groups) {
    for (const absl::string_view part : absl::StrSplit(header, ',')) {
      const absl::string_view name = absl::StripAsciiWhitespace(part);
      if (name.empty()) continue;
      if (!IsGroupName(name) || names.size() == limits::kPrincipalGroupsMax) {
        return PublicError(absl::StatusCode::kInvalidArgument, reason::kInvalidArgument,
                           absl::StrCat("groups must be at most ", limits::kPrincipalGroupsMax,
                                        " names of 1 to 128 bytes"),
                           "groups");
      }
      names.emplace_back(name);
    }
  }
  principal.groups = CanonicalGroups(std::move(names));
  return principal;
}

}  // namespace relations
