#include "trainer/data/tar_reader.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "layers/core/error.h"
#include "trainer/data/printable.h"
#include "trainer/data/tar_header.h"

namespace convoy {
namespace {

/// Zeros that writers put after the end: GNU tar fills its record, of 20 blocks unless told otherwise.
constexpr std::int64_t kMostFilling = std::int64_t{1} << 20;

constexpr std::int64_t kMostPax = std::int64_t{1} << 20;

bool all_zero(std::span<const std::uint8_t> bytes) {
  return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; });
}

std::string name_of(std::span<const std::uint8_t> header) {
  std::string name = tar_text(header, kTarName);
  const bool posix = std::memcmp(header.data() + kTarMagic.start, kPosixMagic, sizeof(kPosixMagic)) == 0;
  if (!posix) return name;
  const std::string prefix = tar_text(header, kTarPrefix);
  return prefix.empty() ? name : prefix + "/" + name;
}

}  // namespace

void TarReader::broken(const std::string& what) const {
  fail(ExitCode::data, "{}: at byte {}: {}", printable(source_.name()), at_, what);
}

void TarReader::read_block(Block& block) const {
  const std::size_t got = source_.read_at(at_, block);
  if (got == block.size()) return;
  broken(at_ == 0 && got == 0 ? "the file is empty, and no tar file; write or fetch it again"
                              : "the tar file is cut short; fetch or write it again");
}

/// Of the first block: what is often taken for a tar file.
void TarReader::check_start(const Block& block) const {
  if (block[0] == 0x1F && block[1] == 0x8B)
    broken("it is packed with gzip, but shards are read in place; unpack it: gunzip");
  if (block[0] == 0x28 && block[1] == 0xB5 && block[2] == 0x2F && block[3] == 0xFD)
    broken("it is packed with zstd, but shards are read in place; unpack it: unzstd");
}

/// After a block of zeros only zeros may follow: what comes after them, tar's readers never see.
void TarReader::check_end() const {
  const std::int64_t rest = source_.size() - at_;
  constexpr const char* kAdvice =
      "the tar file ends here, but bytes follow; are these several archives, one after another? write it "
      "again "
      "as one";
  if (rest > kMostFilling) broken(kAdvice);
  std::array<std::uint8_t, 16 * kTarBlock> bytes;
  for (std::int64_t done = 0; done < rest;) {
    const auto count = static_cast<std::size_t>(std::min<std::int64_t>(rest - done, bytes.size()));
    const std::size_t got = source_.read_at(at_ + done, std::span(bytes).first(count));
    if (!all_zero(std::span(bytes).first(got))) broken(kAdvice);
    if (got < count) return;
    done += static_cast<std::int64_t>(got);
  }
}

/// Moves on past `bytes` of content and what fills their last block.
void TarReader::advance(std::int64_t bytes) {
  const std::int64_t rest = source_.size() - at_;
  if (bytes > rest) {
    broken(fmt::format(
        "its member promises {} bytes, but the file ends after {}; the tar file is cut short, fetch or "
        "write it again",
        bytes, rest));
  }
  at_ += (bytes + kTarBlock - 1) / kTarBlock * kTarBlock;
}

std::string TarReader::read_content(std::int64_t bytes, const char* what) {
  if (bytes > (*what == 'n' ? kMostTarName : kMostPax)) {
    broken(fmt::format("a {} of {} bytes; this is no tar file of images, or a damaged one", what, bytes));
  }
  const std::int64_t start = at_;
  advance(bytes);
  std::string content(static_cast<std::size_t>(bytes), '\0');
  source_.read_at(start, {reinterpret_cast<std::uint8_t*>(content.data()), content.size()});
  return content;
}

/// Records "LENGTH KEY=VALUE\n", LENGTH of all of it (POSIX.1-2001, pax, "pax Extended Header").
void TarReader::read_pax(const std::string& records, Extension& extension) const {
  const auto wrong = [&] { broken("a damaged pax header; write the tar file again"); };
  for (std::size_t start = 0; start < records.size();) {
    std::size_t i = start;
    std::size_t length = 0;
    for (; i < records.size() && records[i] >= '0' && records[i] <= '9' && i < start + 8; ++i) {
      length = length * 10 + static_cast<std::size_t>(records[i] - '0');
    }
    if (i == start || i >= records.size() || records[i] != ' ') wrong();
    if (length < i + 1 - start || length > records.size() - start || records[start + length - 1] != '\n')
      wrong();
    const std::string record = records.substr(i + 1, start + length - 1 - (i + 1));
    const std::size_t equals = record.find('=');
    if (equals == std::string::npos) wrong();
    const std::string key = record.substr(0, equals);
    const std::string value = record.substr(equals + 1);
    if (key == "path") extension.name = value;
    if (key.starts_with("GNU.sparse.")) broken("a sparse member; write the tar file without --sparse");
    if (key == "size") {
      const bool digits = !value.empty() && value.size() <= 18 &&
                          std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; });
      if (!digits) wrong();
      extension.bytes = std::stoll(value);
    }
    start += length;
  }
  if (static_cast<std::int64_t>(extension.name.size()) > kMostTarName) wrong();
}

bool TarReader::next(TarMember& member) {
  Extension extension;
  bool extended = false;
  while (true) {
    Block header;
    if (at_ == source_.size() && at_ > 0) {
      broken(
          "the tar file ends without the blocks of zeros that close it; it is cut short, fetch or write it "
          "again");
    }
    read_block(header);
    if (at_ == 0) check_start(header);
    if (all_zero(header)) {
      if (extended) broken("the tar file ends after a header without its member; write it again");
      check_end();
      return false;
    }
    const std::optional<std::int64_t> sum = tar_number(header, kTarCheckSum);
    if (!sum || *sum != tar_check_sum(header)) {
      broken(at_ == 0
                 ? "this is no tar file (its first header's check sum is wrong)"
                 : "no header where one must be (its check sum is wrong); the tar file is torn, fetch or "
                   "write it again");
    }
    const std::optional<std::int64_t> size = tar_number(header, kTarSize);
    if (!size) broken("a header without a size; the tar file is damaged, fetch or write it again");
    const char type = static_cast<char>(header[kTarType]);
    at_ += kTarBlock;
    if (type == 'L') {
      extension.name = read_content(*size, "name");
      extension.name.resize(std::min(extension.name.find('\0'), extension.name.size()));
    } else if (type == 'x') {
      read_pax(read_content(*size, "pax header"), extension);
    } else if (type == 'K' || type == 'g') {  // a link's long name; what holds for all members, but no names
      advance(*size);
    } else if (type == 'S') {
      broken("a sparse member; write the tar file without --sparse");
    } else {
      member.name = extension.name.empty() ? name_of(header) : std::move(extension.name);
      member.offset = at_;
      const bool has_content = type < '1' || type > '6';  // links, devices and folders have none
      member.bytes = !has_content ? 0 : extension.bytes >= 0 ? extension.bytes : *size;
      member.header_crc = static_cast<std::uint32_t>(crc32_z(0, header.data(), header.size()));
      // Version 7 has no type for folders, but ends their names so.
      const bool regular = type == '0' || type == '\0' || type == '7';
      member.is_folder = type == '5' || (regular && member.name.ends_with('/'));
      member.is_file = regular && !member.is_folder;
      advance(member.bytes);
      return true;
    }
    extended = type == 'x' || type == 'L' || type == 'K';
  }
}

}  // namespace convoy
