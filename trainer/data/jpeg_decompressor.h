#pragma once

#include <csetjmp>
#include <cstddef>
#include <cstdio>
// libjpeg's header needs the two above, and its table of messages the header.
#include <jpeglib.h>

#include <jerror.h>

#include <algorithm>
#include <array>

#include "layers/core/error.h"
#include "trainer/data/image_decoder.h"
#include "trainer/data/printable.h"

namespace convoy {

/// libjpeg decompressing a file in memory, with its errors as Error(data) that names the file.
class JpegDecompressor {
 public:
  explicit JpegDecompressor(const EncodedImage& file) : file_(file) {
    info.err = jpeg_std_error(&error_);
    error_.error_exit = leave;
    error_.emit_message = take_message;
    call([&] {
      jpeg_create_decompress(&info);
      info.mem->max_memory_to_use = kMostDecoderBytes;
      jpeg_mem_src(&info, file_.bytes.data(), file_.bytes.size());
    });
    progress_.progress_monitor = count_scans;
    info.progress = &progress_;
  }
  ~JpegDecompressor() { jpeg_destroy_decompress(&info); }
  JpegDecompressor(const JpegDecompressor&) = delete;
  JpegDecompressor& operator=(const JpegDecompressor&) = delete;

  /// Runs `work`, which libjpeg may leave by a jump: nothing in it may have a destructor.
  template <class Work>
  void call(Work&& work) {
    if (setjmp(error_.jump) != 0) {
      fail(ExitCode::data, "{}: is a broken JPEG file: {}", printable(file_.name), error_.message);
    }
    work();
  }

  jpeg_decompress_struct info{};

 private:
  /// Warnings after which pixels are made up. Others, such as extraneous bytes between markers, are harmless.
  static constexpr std::array kBreaking{JWRN_ARITH_BAD_CODE, JWRN_BOGUS_PROGRESSION, JWRN_HIT_MARKER,
                                        JWRN_HUFF_BAD_CODE,  JWRN_JPEG_EOF,          JWRN_MUST_RESYNC,
                                        JWRN_NOT_SEQUENTIAL};

  struct ErrorManager : jpeg_error_mgr {
    std::jmp_buf jump;
    char message[JMSG_LENGTH_MAX];
  };

  [[noreturn]] static void leave(j_common_ptr info) {
    auto* manager = static_cast<ErrorManager*>(info->err);
    manager->format_message(info, manager->message);
    std::longjmp(manager->jump, 1);
  }

  static void take_message(j_common_ptr info, int level) {
    if (level >= 0) return;  // a trace
    if (std::find(kBreaking.begin(), kBreaking.end(), info->err->msg_code) != kBreaking.end()) leave(info);
  }

  static void count_scans(j_common_ptr info) {
    if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number <= kMostScans) return;
    auto* manager = static_cast<ErrorManager*>(info->err);
    std::snprintf(manager->message, sizeof(manager->message), "more than %d scans", kMostScans);
    std::longjmp(manager->jump, 1);
  }

  const EncodedImage& file_;
  ErrorManager error_{};
  jpeg_progress_mgr progress_{};
};

}  // namespace convoy
