#include "trainer/data/byte_reader.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "layers/core/error.h"

namespace convoy {
namespace {

constexpr std::int64_t kMostRatio = 1032;                    // of deflate: 258 bytes from 2 bits
constexpr std::int64_t kMostAtOnce = std::int64_t{1} << 28;  // gzread takes an unsigned and returns an int
constexpr std::int64_t kFirstStep = std::int64_t{1} << 24;

}  // namespace

ByteReader::ByteReader(const std::filesystem::path& path) : name_(path.string()) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) {
    fail(ExitCode::data, "{}: there is no such file, or it is not a regular file; check the path", name_);
  }
  errno = 0;
  file_.reset(gzopen(name_.c_str(), "rb"));
  if (!file_) fail(ExitCode::data, "{}: cannot be opened: {}", name_, std::strerror(errno ? errno : ENOMEM));
  gzbuffer(file_.get(), 1U << 18);
}

std::int64_t ByteReader::most_bytes() const {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(name_, error);
  if (error) fail(ExitCode::data, "{}: its size cannot be read: {}", name_, error.message());
  const auto bytes = static_cast<std::int64_t>(std::min<std::uintmax_t>(size, std::uintmax_t{1} << 50));
  return gzdirect(file_.get()) ? bytes : bytes * kMostRatio;
}

std::int64_t ByteReader::read_some(std::uint8_t* out, std::int64_t bytes) {
  std::int64_t done = 0;
  while (done < bytes) {
    const std::int64_t wanted = std::min(bytes - done, kMostAtOnce);
    errno = 0;
    const int got = gzread(file_.get(), out + done, static_cast<unsigned>(wanted));
    int code = Z_OK;
    const char* message = gzerror(file_.get(), &code);
    if (code == Z_BUF_ERROR) {
      fail(ExitCode::data,
           "{}: the gzip file is cut short after byte {} of its content; fetch the file again", name_,
           offset_ + std::max(got, 0));
    }
    if (got < 0 && code == Z_ERRNO) {
      fail(ExitCode::data, "{}: cannot be read at byte {}: {}", name_, offset_, std::strerror(errno));
    }
    if (got < 0) {
      fail(ExitCode::data,
           "{}: the gzip file is damaged near byte {} of its content ({}); fetch the file again", name_,
           gztell(file_.get()), message);
    }
    done += got;
    offset_ += got;
    if (got < wanted) break;
  }
  return done;
}

void ByteReader::cut_short(std::int64_t bytes, std::string_view what) const {
  fail(ExitCode::data,
       "{}: ends at byte {}, {} bytes before the end of {}; the file is cut short, fetch it again", name_,
       offset_, bytes, what);
}

void ByteReader::read(std::uint8_t* out, std::int64_t bytes, std::string_view what) {
  const std::int64_t done = read_some(out, bytes);
  if (done < bytes) cut_short(bytes - done, what);
}

std::vector<std::uint8_t> ByteReader::read_all(std::int64_t bytes, std::string_view what) {
  if (bytes > most_bytes() - std::min(offset_, most_bytes())) {
    fail(ExitCode::data,
         "{}: the header at byte 0 promises {} bytes of {}, more than a file of this size can hold; the file "
         "is "
         "cut short or its header is damaged, fetch it again",
         name_, bytes, what);
  }
  std::vector<std::uint8_t> content;
  std::int64_t done = 0;
  while (done < bytes) {
    const std::int64_t step = std::min(bytes - done, std::max(done, kFirstStep));
    content.resize(static_cast<std::size_t>(done + step));
    const std::int64_t got = read_some(content.data() + done, step);
    done += got;
    if (got < step) cut_short(bytes - done, what);
  }
  return content;
}

bool ByteReader::read_record(std::uint8_t* out, std::int64_t bytes, std::string_view what) {
  const std::int64_t done = read_some(out, bytes);
  if (done > 0 && done < bytes) cut_short(bytes - done, what);
  return done == bytes;
}

void ByteReader::expect_end() {
  const std::int64_t end = offset_;
  std::uint8_t byte = 0;
  if (read_some(&byte, 1) != 0) {
    fail(ExitCode::data,
         "{}: goes on after byte {}, where its header says that it ends; the header is damaged or this is "
         "another "
         "file, fetch it again",
         name_, end);
  }
}

std::optional<std::filesystem::path> find_packed_or_not(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored)) return path;
  std::filesystem::path other = path;
  if (path.extension() == ".gz") {
    other.replace_extension();
  } else {
    other += ".gz";
  }
  if (std::filesystem::exists(other, ignored)) return other;
  return std::nullopt;
}

}  // namespace convoy
