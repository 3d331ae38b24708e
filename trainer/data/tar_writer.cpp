#include "trainer/data/tar_writer.h"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "layers/core/error.h"
#include "trainer/data/open_file.h"
#include "trainer/data/printable.h"
#include "trainer/data/tar_header.h"
#include "trainer/data/tar_reader.h"

namespace convoy {
namespace {

constexpr std::size_t kBuffer = std::size_t{1} << 20;

using Header = std::array<std::uint8_t, kTarBlock>;

void put_text(Header& header, TarField field, std::string_view text) {
  std::memcpy(header.data() + field.start, text.data(), std::min(text.size(), field.length));
}

void put_octal(Header& header, TarField field, std::uint64_t value) {
  put_text(header, field, fmt::format("{:0{}o}", value, field.length - 1));
}

Header header_of(std::string_view name, std::size_t bytes) {
  Header header{};
  put_text(header, kTarName, name);
  put_octal(header, kTarMode, 0644);
  put_octal(header, kTarUser, 0);
  put_octal(header, kTarGroup, 0);
  put_octal(header, kTarSize, bytes);
  put_octal(header, kTarTime, 0);
  header[kTarType] = '0';
  put_text(header, kTarMagic, {kPosixMagic, sizeof(kPosixMagic)});
  // Six digits, a 0, a space: as POSIX has it.
  put_octal(header, {kTarCheckSum.start, 7}, tar_check_sum(header));
  header[kTarCheckSum.start + 7] = ' ';
  return header;
}

}  // namespace

TarWriter::TarWriter(std::string path)
    : path_(std::move(path)),
      partial_(path_ + ".part"),
      descriptor_(::open(partial_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)) {
  if (descriptor_ < 0) cannot_write(errno);
  buffer_.reserve(kBuffer);
}

TarWriter::~TarWriter() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(partial_.c_str());
}

void TarWriter::cannot_write(int error) const {
  fail(code_of_write(error), "{}: cannot be written: {}", printable(path_), std::strerror(error));
}

void TarWriter::flush() {
  for (std::size_t done = 0; done < buffer_.size();) {
    const ssize_t wrote = ::write(descriptor_, buffer_.data() + done, buffer_.size() - done);
    if (wrote < 0 && errno != EINTR) cannot_write(errno);
    if (wrote > 0) done += static_cast<std::size_t>(wrote);
  }
  buffer_.clear();
}

void TarWriter::write(std::span<const std::uint8_t> bytes) {
  if (bytes.empty()) return;  // crc32_z takes a null pointer for a new start
  crc_ = static_cast<std::uint32_t>(crc32_z(crc_, bytes.data(), bytes.size()));
  bytes_ += static_cast<std::int64_t>(bytes.size());
  while (!bytes.empty()) {
    const std::size_t count = std::min(bytes.size(), kBuffer - buffer_.size());
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
    bytes = bytes.subspan(count);
    if (buffer_.size() == kBuffer) flush();
  }
}

void TarWriter::add(std::string_view name, std::span<const std::uint8_t> content) {
  static constexpr Header kZeros{};
  if (name.empty() || name.size() > kTarName.length || name.find('\0') != std::string_view::npos) {
    fail(ExitCode::internal, "{}: \"{}\" is no name for a member of a tar file", printable(path_),
         printable(name));
  }
  write(header_of(name, content.size()));
  write(content);
  write(std::span(kZeros).first((kTarBlock - content.size() % kTarBlock) % kTarBlock));
}

/// What the disk holds, not what is in memory: cached pages go first, where the file system lets them.
void TarWriter::check_written() const {
  ::posix_fadvise(descriptor_, 0, 0, POSIX_FADV_DONTNEED);
  const OpenFile file(partial_);
  std::vector<std::uint8_t> bytes(kBuffer);
  std::uint32_t crc = 0;
  std::int64_t done = 0;
  while (true) {
    const std::size_t got = file.read_at(done, bytes);
    crc = static_cast<std::uint32_t>(crc32_z(crc, bytes.data(), got));
    done += static_cast<std::int64_t>(got);
    if (got < bytes.size()) break;
  }
  if (done == bytes_ && crc == crc_) return;
  fail(ExitCode::internal,
       "{}: what is read back is not what was written; the disk is faulty, or another program writes there",
       printable(path_));
}

void TarWriter::commit() {
  static constexpr std::array<std::uint8_t, 2 * kTarBlock> kEnd{};
  write(kEnd);
  flush();
  if (::fsync(descriptor_) != 0) cannot_write(errno);
  check_written();
  if (std::rename(partial_.c_str(), path_.c_str()) != 0) cannot_write(errno);
  ::close(std::exchange(descriptor_, -1));
}

}  // namespace convoy
