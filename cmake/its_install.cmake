# make install: the binary, the shared library with its headers and pkg-config file, and the OpenVINO runtime beside them
# (the wheel's libraries, which no system package brings), and the project's own detector where src/infer/shipped.c looks.
set(ITS_PRIVATE_LIBDIR ${CMAKE_INSTALL_LIBDIR}/its-camera-ai)

add_library(its SHARED $<TARGET_OBJECTS:its_objects>)
target_link_libraries(its PRIVATE its_objects)
set_target_properties(its PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}
                      INSTALL_RPATH "$ORIGIN/its-camera-ai")
set_target_properties(its-camera-ai PROPERTIES INSTALL_RPATH "$ORIGIN/../${ITS_PRIVATE_LIBDIR}")

install(TARGETS its LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS its-camera-ai RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
# the processes of the FFmpeg pool, where src/pool/worker_files.c looks
install(TARGETS its-process-worker its-linked-worker RUNTIME DESTINATION ${ITS_PRIVATE_LIBDIR}
        LIBRARY DESTINATION ${ITS_PRIVATE_LIBDIR})
install(DIRECTORY include/its DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY models/ DESTINATION ${CMAKE_INSTALL_DATADIR}/its-camera-ai/models OPTIONAL
  FILES_MATCHING PATTERN "*.onnx" PATTERN "*.md")
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES LICENSE README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

if(ITS_OPENVINO)
  # The C library, the core, the CPU plug-in and the readers of ONNX and IR, with what they need.
  get_filename_component(ITS_OPENVINO_LIBS ${ITS_OPENVINO_CMAKE}/../libs ABSOLUTE)
  file(GLOB ITS_OPENVINO_RUNTIME ${ITS_OPENVINO_LIBS}/libopenvino.so* ${ITS_OPENVINO_LIBS}/libopenvino_c.so*
       ${ITS_OPENVINO_LIBS}/libopenvino_intel_cpu_plugin.so ${ITS_OPENVINO_LIBS}/libopenvino_onnx_frontend.so*
       ${ITS_OPENVINO_LIBS}/libopenvino_ir_frontend.so* ${ITS_OPENVINO_LIBS}/libtbb*.so*
       ${ITS_OPENVINO_LIBS}/libhwloc*.so*)
  install(FILES ${ITS_OPENVINO_RUNTIME} DESTINATION ${ITS_PRIVATE_LIBDIR})
endif()

# Relocatable: everything relative to the .pc file itself.
file(RELATIVE_PATH ITS_INCLUDE_FROM_LIB /p/${CMAKE_INSTALL_LIBDIR} /p/${CMAKE_INSTALL_INCLUDEDIR})
configure_file(cmake/its-camera-ai.pc.in its-camera-ai.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/its-camera-ai.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
