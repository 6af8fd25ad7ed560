// SPDX-License-Identifier: Apache-2.0
#include "builder/stdin_context.h"

#include "builder/context_spec.h"
#include "builder/source/single_file_view.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"

#include <cstdlib>

namespace mybuild::builder {

namespace {

constexpr std::size_t kHeader = 1024;

/// Large things that are needed for a while only: /tmp is memory on many machines.
std::string spool_directory() {
  const char* given = std::getenv("TMPDIR");
  return given != nullptr && *given != '\0' ? given : "/var/tmp";
}

/// Fills `buffer` as far as there is input.
Result<std::size_t> read_full(Source& input, MutableByteSpan buffer) {
  std::size_t total = 0;
  while (total < buffer.size()) {
    const std::size_t count = TRY(input.read(buffer.subspan(total)));
    if (count == 0) {
      break;
    }
    total += count;
  }
  return total;
}

class Spool final : public Sink {
 public:
  explicit Spool(Fd file) : file_(std::move(file)) {}

  Status write(ByteSpan bytes) override {
    hasher_.update(bytes);
    size_ += bytes.size();
    return sys::write_all(file_.get(), bytes);
  }

  source::SourceTree finish() && {
    snapshotter::Entry entry;
    entry.path = kContextFile;
    entry.mode = 0600;
    entry.size = size_;
    entry.content = hasher_.finish();
    auto file = std::make_shared<Fd>(std::move(file_));
    source::SourceTree tree;
    tree.id = *entry.content;
    tree.view = source::make_single_file_view(std::move(entry), [file]() -> Result<Fd> {
      // Opened anew, since every reader needs a position of its own.
      return sys::open(sys::proc_fd_path(file->get()), O_RDONLY);
    });
    return tree;
  }

 private:
  Fd file_;
  Hasher hasher_;
  std::uint64_t size_ = 0;
};

}  // namespace

Result<StdinContext> read_stdin_context(Source& input, std::size_t text_limit) {
  std::vector<std::byte> header(kHeader);
  header.resize(TRY(read_full(input, header)));
  if (!looks_like_archive(header)) {
    std::string text(as_text(header));
    text += TRY(read_all(input, text_limit));
    return StdinContext(std::move(text));
  }
  const std::string directory = spool_directory();
  Fd file = TRY(nameless_file(directory).context("keep the context in " + directory));
  Spool spool(std::move(file));
  TRY(spool.write(header).context("keep the context in " + directory));
  TRY(copy(input, spool).context("keep the context in " + directory));
  return StdinContext(std::move(spool).finish());
}

}  // namespace mybuild::builder
