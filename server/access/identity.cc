#include "server/access/identity.h"

#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "server/access/http_url.h"
#include "storage/base/log.h"
#include "storage/base/status_macros.h"

namespace relations {
namespace {

using Kind = MetricSample::Kind;

// The URL of a setting, fit to be asked.
absl::StatusOr<HttpUrl> UrlOf(const char* setting, const std::string& text, bool allow_plaintext) {
  auto url = ParseHttpUrl(text);
  if (!url.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("--", setting, ": ", url.status().message()));
  }
  if (!url->is_tls && !url->IsLoopback() && !allow_plaintext) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--", setting, " ", text, ": it would be asked without TLS on another machine; ",
        "use https, or give --auth-allow-plaintext"));
  }
  return url;
}

void AddExternal(Metrics& metrics, const ExternalAuthenticator& external) {
  metrics.AddSource([&external](std::vector<MetricSample>& samples) {
    const ExternalAuthenticator::Counts counts = external.counts();
    const auto add = [&samples](const char* name, const char* help, Kind kind, double value) {
      samples.push_back({name, help, kind, value, {}});
    };
    add("relations_server_auth_cache_hits_total", "Verdicts that were remembered.", Kind::kCounter,
        static_cast<double>(counts.cache_hits));
    add("relations_server_auth_questions_total", "Questions to the authentication service.",
        Kind::kCounter, static_cast<double>(counts.questions));
    add("relations_server_auth_remembered", "Verdicts that are remembered now.", Kind::kGauge,
        static_cast<double>(counts.remembered));
    add("relations_server_auth_waiting", "Calls that wait for the authentication service.",
        Kind::kGauge, static_cast<double>(counts.waiting));
  });
}

}  // namespace

absl::StatusOr<std::unique_ptr<Identity>> Identity::Start(const IdentityConfig& config,
                                                          const CredentialStore* credentials,
                                                          Metrics& metrics) {
  auto identity = absl::WrapUnique(new Identity(credentials));
  if (!config.auth_url.empty()) {
    RETURN_IF_ERROR(identity->StartExternal(config, metrics));
  } else if (!config.auth_ca.empty() || !config.auth_cert.empty() || !config.auth_key.empty()) {
    return absl::InvalidArgumentError("--auth-ca, --auth-cert and --auth-key need --auth-url");
  }
  return identity;
}

absl::Status Identity::StartExternal(const IdentityConfig& config, Metrics& metrics) {
  ExternalAuthenticator::Options options;
  ASSIGN_OR_RETURN(options.service.url,
                   UrlOf("auth-url", config.auth_url, config.auth_allow_plaintext));
  options.service.tls = {config.auth_cert, config.auth_key, config.auth_ca};
  RETURN_IF_ERROR(CheckTlsFiles(options.service.tls));
  questions_ = std::make_unique<RequestMetrics>(metrics, "relations_server_auth", "credential");
  options.metrics = questions_.get();
  ASSIGN_OR_RETURN(external_, ExternalAuthenticator::Start(options));
  authenticator_ = external_.get();
  AddExternal(metrics, *external_);
  LogInfo("credentials are judged by a service", {{"url", options.service.url.Origin()}});
  return absl::OkStatus();
}

}  // namespace relations
