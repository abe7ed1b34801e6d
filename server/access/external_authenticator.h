// Asks an HTTP service who credentials belong to: `GET URL/api/auth/v2/session` with the token,
// `GET URL/api/auth/v2/keypair` with the pair. How its answers are read: auth_answer.h.
//
// A yes counts for a minute, and never past its expiry; a no for five seconds; that nobody could
// tell is not remembered. So a revocation counts after a minute at most. Calls with the same
// credentials that come while the service is asked wait for the same answer. Credentials are
// remembered by a digest under a key that dies with the process.
//
// Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "server/access/authenticator.h"
#include "server/access/http_client.h"
#include "server/access/verdict_cache.h"
#include "storage/base/metrics.h"

namespace relations {

class ExternalAuthenticator final : public Authenticator {
 public:
  static constexpr absl::Duration kYesCounts = absl::Seconds(60);
  static constexpr absl::Duration kNoCounts = absl::Seconds(5);
  // Verdicts remembered. Strangers fill only the second.
  static constexpr size_t kYesMax = 65536;
  static constexpr size_t kNoMax = 16384;
  // Calls that wait for the service at once; more are UNAVAILABLE.
  static constexpr size_t kWaitingMax = 4096;

  struct Options {
    HttpClient::Options service;
    std::function<absl::Time()> clock = [] { return absl::Now(); };
    // Times the questions, by `method` ("session", "keypair") and `status` ("yes", "no", "error").
    // Not owned; null: nothing is measured.
    RequestMetrics* metrics = nullptr;
  };

  struct Counts {
    uint64_t cache_hits = 0;
    uint64_t questions = 0;
    size_t remembered = 0;
    size_t waiting = 0;
  };

  // As HttpClient::Start.
  static absl::StatusOr<std::unique_ptr<ExternalAuthenticator>> Start(const Options& options);
  // Calls that still wait are told that nobody can tell.
  ~ExternalAuthenticator() override;

  std::optional<Verdict> Authenticate(const Credentials& credentials, absl::Time now,
                                      Later later) override;

  Counts counts() const;

 private:
  // A question on its way, for all who wait for its answer.
  struct Flight {
    std::vector<Later> waiting;
    absl::Time began;
    bool is_session = false;
  };

  explicit ExternalAuthenticator(const Options& options);
  CredentialDigest DigestOf(const Credentials& credentials) const;
  void Ask(const Credentials& credentials, const CredentialDigest& digest);
  void TakeAnswer(const CredentialDigest& digest, const absl::StatusOr<HttpClient::Answer>& answer);
  void Remember(const CredentialDigest& digest, const Flight& flight, const Verdict& verdict,
                absl::Time expires);
  void Measure(const Flight& flight, const Verdict& verdict);

  const std::function<absl::Time()> clock_;
  RequestMetrics* const metrics_;
  const std::string path_;
  const std::string digest_key_;

  mutable std::mutex mutex_;
  // State below is guarded by mutex_.
  VerdictCache<Principal> yes_{kYesMax};
  // The cause.
  VerdictCache<absl::Status> no_{kNoMax};
  absl::flat_hash_map<CredentialDigest, Flight> flights_;
  size_t waiting_ = 0;
  uint64_t cache_hits_ = 0;
  uint64_t questions_ = 0;
  bool failing_ = false;

  // Destroyed first: its thread uses what is above.
  std::unique_ptr<HttpClient> service_;
};

}  // namespace relations
