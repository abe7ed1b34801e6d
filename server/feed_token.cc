#include "server/feed_token.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "absl/strings/escaping.h"
#include "absl/strings/str_join.h"
#include "storage/base/feed_limits.h"
#include "storage/base/public_error.h"

namespace relations {
namespace {

constexpr size_t kNonceBytes = 12;
constexpr size_t kPlaceBytes = 12;
constexpr size_t kTagBytes = 16;
constexpr size_t kTokenBytes = kNonceBytes + kPlaceBytes + kTagBytes;

using Key = std::array<uint8_t, 32>;
using Place = std::array<uint8_t, kPlaceBytes>;
using Context = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

// A cipher that fails for another reason than a wrong tag has no memory: nothing goes on then.
void Must(int result) {
  if (result != 1) std::abort();
}

Key KeyOf(const std::string& feed) {
  Key key;
  unsigned size = 0;
  Must(EVP_Digest(feed.data(), feed.size(), key.data(), &size, EVP_sha256(), nullptr));
  return key;
}

const uint8_t* Bytes(absl::string_view text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}

Context NewContext() { return {EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free}; }

absl::Status NotAToken() {
  return PublicError(absl::StatusCode::kInvalidArgument, reason::kInvalidArgument,
                     "token must be one that a message of the feed had", "token");
}

}  // namespace

std::string SealFeedToken(const FeedPosition& position, const GroupSet& groups) {
  Place place;
  for (size_t i = 0; i < 8; ++i) {
    place[i] = static_cast<uint8_t>(position.sequence >> (8 * (7 - i)));
  }
  for (size_t i = 0; i < 4; ++i) {
    place[8 + i] = static_cast<uint8_t>(position.change >> (8 * (3 - i)));
  }
  std::array<uint8_t, kTokenBytes> token;
  Must(RAND_bytes(token.data(), kNonceBytes));
  const Key key = KeyOf(position.feed);
  const std::string holders = absl::StrJoin(groups, ",");
  const Context context = NewContext();
  int size = 0;
  Must(EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.data(), token.data()));
  Must(EVP_EncryptUpdate(context.get(), nullptr, &size, Bytes(holders),
                         static_cast<int>(holders.size())));
  Must(EVP_EncryptUpdate(context.get(), token.data() + kNonceBytes, &size, place.data(),
                         kPlaceBytes));
  Must(EVP_EncryptFinal_ex(context.get(), token.data() + kNonceBytes + kPlaceBytes, &size));
  Must(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes,
                           token.data() + kNonceBytes + kPlaceBytes));
  return absl::WebSafeBase64Escape(
      absl::string_view(reinterpret_cast<const char*>(token.data()), token.size()));
}

absl::StatusOr<FeedPosition> OpenFeedToken(absl::string_view token, const std::string& feed,
                                           const GroupSet& groups) {
  std::string bytes;
  if (token.size() > limits::kFeedTokenBytesMax || !absl::WebSafeBase64Unescape(token, &bytes) ||
      bytes.size() != kTokenBytes) {
    return NotAToken();
  }
  const Key key = KeyOf(feed);
  const std::string holders = absl::StrJoin(groups, ",");
  const Context context = NewContext();
  Place place;
  int size = 0;
  Must(EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.data(), Bytes(bytes)));
  Must(EVP_DecryptUpdate(context.get(), nullptr, &size, Bytes(holders),
                         static_cast<int>(holders.size())));
  Must(EVP_DecryptUpdate(context.get(), place.data(), &size, Bytes(bytes) + kNonceBytes,
                         kPlaceBytes));
  std::string tag = bytes.substr(kNonceBytes + kPlaceBytes);
  Must(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()));
  if (EVP_DecryptFinal_ex(context.get(), place.data(), &size) != 1) {
    return FeedRestart("the token is of before an import or a restore, or for other groups");
  }
  FeedPosition position;
  position.feed = feed;
  for (size_t i = 0; i < 8; ++i) position.sequence = position.sequence << 8 | place[i];
  for (size_t i = 8; i < kPlaceBytes; ++i) position.change = position.change << 8 | place[i];
  return position;
}

}  // namespace relations
