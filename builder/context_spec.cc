// SPDX-License-Identifier: Apache-2.0
#include "builder/context_spec.h"

#include "frontend/remote/git_url.h"
#include "frontend/remote/http_url.h"
#include "snapshotter/archive/tar_reader.h"

namespace mybuild::builder {

namespace {

using namespace std::string_view_literals;

/// "DIR[:TAG][@DIGEST]"; a colon belongs to the tag only after the last slash.
Result<frontend::LayoutContext> parse_layout(std::string value) {
  frontend::LayoutContext layout;
  if (const std::size_t at = value.rfind('@'); at != std::string::npos) {
    layout.digest = TRY(Digest::parse(value.substr(at + 1)));
    value.resize(at);
  }
  const std::size_t colon = value.rfind(':');
  const std::size_t slash = value.rfind('/');
  if (colon != std::string::npos && (slash == std::string::npos || colon > slash)) {
    layout.tag = value.substr(colon + 1);
    value.resize(colon);
  }
  layout.path = std::move(value);
  return layout;
}

constexpr std::string_view kImage = "docker-image://";
constexpr std::string_view kLayout = "oci-layout://";
constexpr std::string_view kBakeTarget = "target:";

}  // namespace

Result<std::optional<RemoteContext>> parse_remote_context(std::string_view text) {
  using Answer = std::optional<RemoteContext>;
  auto git = TRY(frontend::parse_git_url(text, frontend::UrlOrigin::CommandLine));
  if (git) {
    return Answer(std::move(git->source));
  }
  if (frontend::is_http_url(text)) {
    return Answer(solver::HttpSource{
        .url = std::string(text), .filename = std::string(kContextFile), .checksum = {}});
  }
  return Answer();
}

Result<NamedContextSpec> parse_named_context(const std::string& value) {
  if (value.starts_with(kImage)) {
    oci::Reference reference = TRY(oci::Reference::parse(value.substr(kImage.size())));
    return NamedContextSpec(frontend::ImageContext{std::move(reference)});
  }
  if (value.starts_with(kLayout)) {
    frontend::LayoutContext layout = TRY(parse_layout(value.substr(kLayout.size())));
    return NamedContextSpec(std::move(layout));
  }
  if (value.starts_with(kBakeTarget)) {
    return unsupported("{} names a target of a bake file, and there is none", value)
        .with_hint("build that target first, and name its image with docker-image://");
  }
  auto remote = TRY(parse_remote_context(value));
  if (!remote) {
    return NamedContextSpec(DirectoryContext{value});
  }
  return std::visit([](auto& source) { return NamedContextSpec(std::move(source)); }, *remote);
}

bool looks_like_archive(ByteSpan header) {
  const std::string_view text = as_text(header);
  for (const std::string_view magic : {"BZh"sv, "\x1f\x8b\x08"sv,
                                       "\xfd"
                                       "7zXZ\0"sv,
                                       "\x28\xb5\x2f\xfd"sv}) {
    if (text.starts_with(magic)) {
      return true;
    }
  }
  StringSource bytes(text);
  auto reader = snapshotter::TarReader::open(bytes, {.layer = false});
  if (text.empty() || !reader) {
    return false;
  }
  // A header is enough; that the rest of the archive is missing says nothing.
  const auto first = reader->next();
  return first ? first->has_value() : first.error().kind() == ErrorKind::DataLoss;
}

}  // namespace mybuild::builder
